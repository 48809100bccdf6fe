#include "app/open_device.h"

#include <fmt/ranges.h>

#include "device/ane/ane_device.h"
#include "device/cpu/cpu_device.h"
#include "device/null/null_device.h"
#include "device/reference/reference_device.h"

namespace millwright::app {

Result<std::unique_ptr<device::Device>> OpenDevice(
    std::string_view name, const device::DeviceOptions& options,
    std::shared_ptr<const math::GemmTable> gemm_table) {
  if (name == "cpu" && gemm_table != nullptr) {
    return device::OpenCpuDevice(options, std::move(gemm_table));
  }
#define DEVICE(id, Opener) \
  if (name == #id) return device::Open##Opener##Device(options);
#include "device/devices.def"
#undef DEVICE
  return BadInput("--device {}: unknown; there are {}", name, fmt::join(DeviceNames(), ", "));
}

std::vector<std::string_view> DeviceNames() {
  return {
#define DEVICE(id, Opener) #id,
#include "device/devices.def"
#undef DEVICE
  };
}

Result<Precision> PrecisionFromFlag(std::string_view name, bool exact) {
  for (Precision precision : {Precision::kExact, Precision::kFp32, Precision::kFp16,
                              Precision::kBf16, Precision::kInt8, Precision::kAne}) {
    if (precision == Precision::kExact && !exact) continue;
    if (PrecisionName(precision) == name) return precision;
  }
  return BadInput("--precision {}: expected {}fp32, fp16, bf16, int8 or ane", name,
                  exact ? "exact, " : "");
}

Result<AneRules> AneRulesFromFlag(const std::string& text, Precision precision) {
  if (!text.empty() && precision != Precision::kAne) {
    return BadInput("--ane-rules {}: needs --precision ane", text);
  }
  const auto rules = ParseAneRules(text);
  if (!rules) return rules.error().In("--ane-rules");
  return *rules;
}

Result<DType> VectorWeightsFromFlag(std::string_view name) {
  for (DType dtype : {DType::kFp32, DType::kBf16, DType::kInt8}) {
    if (DTypeName(dtype) == name) return dtype;
  }
  return BadInput("--weights {}: expected fp32, bf16 or int8", name);
}

}  // namespace millwright::app
