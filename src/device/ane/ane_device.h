// The Apple Neural Engine, through private frameworks.
#pragma once

#include <memory>

#include "base/result.h"
#include "device/device.h"

namespace millwright::device {

// Precision: `ane`, the engine's own; others are refused. Programs that the constraints of this
// chip speak against are refused with them (constraints.h); weights are read strictly. Surfaces of
// float ports are stored as the program declares them.
//
// Runs are synchronous. After a failed one its outputs cannot be read until a run or the host has
// written them, and a run that reports success but writes nothing fails. Executables of equal
// programs share what the system compiled; a device compiles at most caps().compile_budget programs
// in a process.
//
// Bad input where the frameworks or something of them is missing: the error names it.
Result<std::unique_ptr<Device>> OpenAneDevice(const DeviceOptions& options);

}  // namespace millwright::device
