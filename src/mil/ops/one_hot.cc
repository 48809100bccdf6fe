#include <algorithm>
#include <utility>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Status CheckValues(const Call& call) {
  for (std::string_view key : {"on_value", "off_value"}) {
    Status status =
        CheckDType(call, key, {DType::kFp16, DType::kFp32, DType::kInt32, DType::kBool});
    if (!status) return status;
    if (call.Has(key) && !call.type(key).shape.empty()) {
      return call.Bad("'{}' must be a scalar, found {}", key, ToString(call.type(key)));
    }
  }
  return CheckSameDType(call, "on_value", "off_value");
}

Types Infer(const Call& call) {
  if (Status status = CheckDType(call, "indices", {DType::kInt32}); !status) {
    return status.error();
  }
  if (Status status = CheckValues(call); !status) return status.error();
  const int64_t size = call.Int("one_hot_vector_size", 0);
  Shape shape = call.type("indices").shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", -1), shape.size() + 1);
  if (!axis) return axis.error();
  shape.insert(shape.begin() + *axis, size);
  if (Status status = CheckNewShape(call, shape); !status) return status.error();
  const std::string_view value = call.Has("on_value") ? "on_value" : "off_value";
  return std::vector<Type>{{call.Has(value) ? call.type(value).dtype : DType::kInt32, shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Shape& shape = results[0].shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", -1), shape.size());
  if (!axis) return axis.error();
  const std::vector<double>& indices = call.array("indices").data;
  const AxisSplit split = SplitAt(shape, static_cast<size_t>(*axis));
  const double on = call.Float("on_value", 1.0);
  Array result = NewArray(results[0]);
  std::ranges::fill(result.data, call.Float("off_value", 0.0));
  for (int64_t line = 0; line < split.lines(); ++line) {
    const auto index = static_cast<int64_t>(indices[static_cast<size_t>(line)]);
    if (index < 0 || index >= split.length) continue;
    result.data[static_cast<size_t>(split.First(line) + index * split.inner)] = on;
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_one_hot = {
    .name = "one_hot",
    .doc = R"(
A new axis of length one_hot_vector_size, on_value at the place that the index names and off_value
elsewhere. An index outside of the axis gives off_value everywhere.
  indices              int32
  one_hot_vector_size  constant int, positive
  axis                 constant int, default -1: where the new axis is in the result
  on_value             constant scalar, fp16, fp32, int32 or bool, default int32 1
  off_value            constant scalar of that dtype, default 0
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "indices"},
               {.name = "one_hot_vector_size", .constant = true, .kind = ParamKind::kInt},
               {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt},
               {.name = "on_value", .required = false, .constant = true},
               {.name = "off_value", .required = false, .constant = true}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
