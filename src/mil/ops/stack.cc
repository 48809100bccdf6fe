#include <algorithm>
#include <utility>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const std::vector<Type>& values = call.Find("values")->types;
  Type result = values.front();
  for (const Type& value : values) {
    if (value == result) continue;
    return call.Bad("the values must have one type, found {} and {}", ToString(result),
                    ToString(value));
  }
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), result.shape.size() + 1);
  if (!axis) return axis.error();
  result.shape.insert(result.shape.begin() + *axis, static_cast<int64_t>(values.size()));
  if (Status status = CheckNewShape(call, result.shape); !status) return status.error();
  return std::vector<Type>{result};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Shape& shape = results[0].shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), shape.size());
  if (!axis) return axis.error();
  const AxisSplit split = SplitAt(shape, static_cast<size_t>(*axis));
  Array result = NewArray(results[0]);
  auto out = result.data.begin();
  for (int64_t outer = 0; outer < split.outer; ++outer) {
    for (const Array* value : call.Find("values")->arrays) {
      out = std::copy_n(value->data.begin() + outer * split.inner, split.inner, out);
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_stack = {
    .name = "stack",
    .doc = R"(
The values joined along a new axis.
  values  a tuple of tensors of one type
  axis    constant int: where the new axis is in the result; negative ones count from its back
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "values", .kind = ParamKind::kValues},
               {.name = "axis", .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
