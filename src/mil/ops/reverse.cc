#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", call.type("x").shape.size());
  if (!axes) return axes.error();
  return std::vector<Type>{call.type("x")};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Shape& shape = results[0].shape;
  const Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", shape.size());
  if (!axes) return axes.error();
  Strides strides = RowMajorStrides(shape);
  int64_t first = 0;
  for (int64_t axis : *axes) {
    const auto at = static_cast<size_t>(axis);
    first += (shape[at] - 1) * strides[at];
    strides[at] = -strides[at];
  }
  const double* source = call.array("x").data.data() + first;
  return std::vector<Array>{{results[0], Gathered(source, shape, strides)}};
}

}  // namespace

const OpDef k_reverse = {
    .name = "reverse",
    .doc = R"(
x with the order of its elements reversed along some axes.
  x       any tensor
  axes    constant list of axes, default all
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "axes", .required = false, .constant = true, .kind = ParamKind::kInts}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
