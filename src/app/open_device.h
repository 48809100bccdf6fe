// Picks a device by name. The only place that knows all of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "math/gemm_table.h"

namespace millwright::app {

// The device of devices.def with that name. An unknown name, or a precision that the device does
// not have, is an error that lists what there is. The CPU's products follow `gemm_table`.
Result<std::unique_ptr<device::Device>> OpenDevice(
    std::string_view name, const device::DeviceOptions& options,
    std::shared_ptr<const math::GemmTable> gemm_table = nullptr);
std::vector<std::string_view> DeviceNames();

// The value of --precision; bad input lists what there is. `exact`: that one too, which is for
// checking a device and not for training.
Result<Precision> PrecisionFromFlag(std::string_view name, bool exact = false);

// The value of --ane-rules, which needs --precision ane.
Result<AneRules> AneRulesFromFlag(const std::string& text, Precision precision);
inline constexpr const char* kAneRulesHelp =
    "Rules of --precision ane to switch: no-tables,slice-clamp,... (docs/ane.md)";

// The value of --weights: fp32, bf16 or int8.
Result<DType> VectorWeightsFromFlag(std::string_view name);

}  // namespace millwright::app
