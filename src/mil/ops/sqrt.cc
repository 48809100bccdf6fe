#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Sqrt(double x) { return std::sqrt(x); }

}  // namespace

const OpDef k_sqrt = {
    .name = "sqrt",
    .doc = R"(
The square root of x, element by element; NaN below 0.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Sqrt>,
};

}  // namespace millwright::mil
