// The Mac that the emulator is.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "device/ane/target.h"

namespace millwright::device::ane::emulator {

struct MachineState {
  Target target{.chip = Chip::kM4, .macos = 15};
  std::string brand = "Apple M4";
  std::string macos = "15.5";
  int compile_limit = 119;                    // fact D9
  uint64_t weight_limit = uint64_t{2} << 30;  // bytes a loaded program may have (fact B14)
};

// The machine as it is now; changed by control.h between calls of tests.
MachineState& Machine();

// A chip of ParseTarget and a version, "15.5".
Status SetMachine(const std::string& chip, const std::string& macos);

// "h16g" for an M4.
std::string Architecture();

// A folder of this process, which is made when first asked for and removed when the process ends.
std::string TemporaryFolder();

}  // namespace millwright::device::ane::emulator
