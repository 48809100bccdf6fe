#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  const size_t rank = x.shape.size() + call.Ints("axes").size();
  const Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", rank);
  if (!axes) return axes.error();
  Shape shape = x.shape;
  for (int64_t axis : *axes) shape.insert(shape.begin() + axis, 1);
  return std::vector<Type>{{x.dtype, shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return std::vector<Array>{{results[0], call.array("x").data}};
}

}  // namespace

const OpDef k_expand_dims = {
    .name = "expand_dims",
    .doc = R"(
x with axes of length 1 put in.
  x       any tensor
  axes    constant list: where the new axes are in the result; negative ones count from its back
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"}, {.name = "axes", .constant = true, .kind = ParamKind::kInts}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
