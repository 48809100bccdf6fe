#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const double epsilon = call.Float("epsilon", 1e-45);
  const auto log = [epsilon](double x) { return std::log(x + epsilon); };
  return std::vector<Array>{MapElements(call.array("x"), results[0], log)};
}

}  // namespace

const OpDef k_log = {
    .name = "log",
    .doc = R"(
The natural logarithm of x + epsilon, element by element.
  x        fp16 or fp32
  epsilon  a constant float, default 1e-45; added in double, so that the default counts also where
           x is fp16
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"},
               {.name = "epsilon", .required = false, .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
