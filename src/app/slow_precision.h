// Precisions that are there to be fast, on a CPU where they are not.
#pragma once

#include <string>

#include "base/numerics.h"
#include "device/device.h"

namespace millwright::app {

// What `precision` lacks on this machine to be faster than fp32, as a line for people; empty where
// nothing is missing, or the device computes nothing.
std::string SlowPrecisionNote(Precision precision, const device::Caps& caps);

// Prints it to standard error, where there is something to say.
void WarnOfSlowPrecision(Precision precision, const device::Caps& caps);

}  // namespace millwright::app
