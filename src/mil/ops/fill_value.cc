#include "mil/ops/fill_value.h"

namespace millwright::mil {

Result<DType> ReadFillDType(const Call& call) {
  if (!call.Has("value")) return DType::kFp32;
  const Status status =
      CheckDType(call, "value", {DType::kFp16, DType::kFp32, DType::kInt32, DType::kBool});
  if (!status) return status.error();
  if (call.type("value").shape.empty()) return call.type("value").dtype;
  return call.Bad("'value' must be a scalar, found {}", ToString(call.type("value")));
}

Arrays EvaluateFill(const Call& call, std::span<const Type> results, const Numerics&) {
  const auto count = static_cast<size_t>(results[0].elements());
  const double value = call.Float("value", 0.0);
  return std::vector<Array>{{results[0], std::vector<double>(count, value)}};
}

}  // namespace millwright::mil
