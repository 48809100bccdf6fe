#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  const auto rank = static_cast<int64_t>(x.shape.size());
  const int64_t axis = call.Int("axis", 1);
  if (axis < -rank || axis > rank) {
    return call.Bad("axis {} is outside of a tensor of rank {}", axis, rank);
  }
  const auto middle = x.shape.begin() + (axis < 0 ? axis + rank : axis);
  return std::vector<Type>{
      {x.dtype, {NumElements({x.shape.begin(), middle}), NumElements({middle, x.shape.end()})}}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return std::vector<Array>{{results[0], call.array("x").data}};
}

}  // namespace

const OpDef k_flatten2d = {
    .name = "flatten2d",
    .doc = R"(
The elements of x as a matrix: the axes before `axis` become the rows, the others the columns.
  x       any tensor
  axis    constant int, default 1; negative ones count from the back
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "x"},
               {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
