// The device that checks and binds programs and computes nothing: to see what a run would launch.
#pragma once

#include <memory>

#include "base/result.h"
#include "device/device.h"

namespace millwright::device {

// Any precision; surfaces are stored as on the reference device. Outputs are zeroed when they are
// bound, so that they are defined, and left alone after that.
Result<std::unique_ptr<Device>> OpenNullDevice(const DeviceOptions& options);

}  // namespace millwright::device
