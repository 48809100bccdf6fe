// Picks a device by name. The only place that knows all of them.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/device.h"

namespace millwright::app {

// The device of devices.def with that name. An unknown name, or a precision that the device does
// not have, is an error that lists what there is.
Result<std::unique_ptr<device::Device>> OpenDevice(std::string_view name,
                                                   const device::DeviceOptions& options);
std::vector<std::string_view> DeviceNames();

// The value of --precision; bad input lists what there is. `exact`: that one too, which is for
// checking a device and not for training.
Result<Precision> PrecisionFromFlag(std::string_view name, bool exact = false);

}  // namespace millwright::app
