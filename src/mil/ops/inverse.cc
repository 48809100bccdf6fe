#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const double epsilon = call.Float("epsilon", 1e-4);
  const auto inverse = [epsilon](double x) { return 1.0 / (x + epsilon); };
  return std::vector<Array>{MapElements(call.array("x"), results[0], inverse)};
}

}  // namespace

const OpDef k_inverse = {
    .name = "inverse",
    .doc = R"(
1 / (x + epsilon), element by element.
  x        fp16 or fp32
  epsilon  a constant float, default 1e-4
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 elementwise_unary.)",
    .params = {{.name = "x"},
               {.name = "epsilon", .required = false, .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
