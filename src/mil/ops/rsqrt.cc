#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const double epsilon = call.Float("epsilon", 1e-12);
  const auto rsqrt = [epsilon](double x) { return 1.0 / std::sqrt(x + epsilon); };
  return std::vector<Array>{MapElements(call.array("x"), results[0], rsqrt)};
}

}  // namespace

const OpDef k_rsqrt = {
    .name = "rsqrt",
    .doc = R"(
1 / sqrt(x + epsilon), element by element.
  x        fp16 or fp32
  epsilon  a constant float, default 1e-12; added in double, so that the default counts also where
           x is fp16
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"},
               {.name = "epsilon", .required = false, .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
