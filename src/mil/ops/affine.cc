#include "mil/ops/affine.h"

namespace millwright::mil {
namespace {

Status CheckParameter(const Call& call, std::string_view key, const Shape& data) {
  if (!call.Has(key)) return {};
  const Shape& shape = call.type(key).shape;
  if (shape.empty()) return {};
  if (!call.Has("axis")) return call.Bad("'{}' is a vector, so 'axis' must be given", key);
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), data.size());
  if (!axis) return axis.error();
  const int64_t expected = data[static_cast<size_t>(*axis)];
  if (shape.size() == 1 && shape[0] == expected) return {};
  return call.Bad("'{}' must be a scalar or have shape [{}], the length of axis {}; found {}", key,
                  expected, *axis, ShapeToString(shape));
}

}  // namespace

Status CheckAffine(const Call& call, std::string_view data, DType quantized) {
  if (Status status = CheckFloat(call, "scale"); !status) return status;
  if (Status status = CheckDType(call, "zero_point", {quantized}); !status) return status;
  const Shape& shape = call.type(data).shape;
  if (Status status = CheckParameter(call, "scale", shape); !status) return status;
  return CheckParameter(call, "zero_point", shape);
}

Strides AffineStrides(const Call& call, std::string_view key, const Shape& shape) {
  Strides strides(shape.size(), 0);
  if (!call.Has(key) || call.type(key).shape.empty()) return strides;
  const int64_t axis = call.Int("axis", 0);
  const int64_t rank = static_cast<int64_t>(shape.size());
  strides[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = 1;
  return strides;
}

}  // namespace millwright::mil
