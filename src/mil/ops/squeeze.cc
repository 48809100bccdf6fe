#include <algorithm>

#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  const Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", x.shape.size());
  if (!axes) return axes.error();
  Shape shape;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    const bool named = std::ranges::binary_search(*axes, static_cast<int64_t>(axis));
    if (!named || x.shape[axis] != 1) shape.push_back(x.shape[axis]);
  }
  return std::vector<Type>{{x.dtype, shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return std::vector<Array>{{results[0], call.array("x").data}};
}

}  // namespace

const OpDef k_squeeze = {
    .name = "squeeze",
    .doc = R"(
x without axes of length 1.
  x       any tensor
  axes    constant list of axes to drop, of which those of other lengths than 1 stay, as in PyTorch;
          default all
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "axes", .required = false, .constant = true, .kind = ParamKind::kInts}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
