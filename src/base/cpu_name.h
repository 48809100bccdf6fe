// What this machine's CPU is called.
#pragma once

#include <string>

namespace millwright {

// Vendor, model and stepping, as the system tells them: "GenuineIntel 6 143 8 Intel(R) Xeon(R)
// ...". Empty where it does not.
std::string CpuName();

}  // namespace millwright
