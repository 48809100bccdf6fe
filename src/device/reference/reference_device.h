// The device that evaluates every operation as mil/ops defines it: the judge of all others.
#pragma once

#include <memory>

#include "base/result.h"
#include "device/device.h"

namespace millwright::device {

// Precisions and the storage of float surfaces: exact (fp64), fp32 (fp32), fp16 and ane (fp16).
// Integers and bools are stored as themselves. Sums are accumulated in double except in `ane`, and
// each result is rounded once: wider than any real fp32 or fp16 device. Weight files with the
// malformed records of public programs are read. `threads` above 0 sets the process's threads.
Result<std::unique_ptr<Device>> OpenReferenceDevice(const DeviceOptions& options);

}  // namespace millwright::device
