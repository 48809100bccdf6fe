#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Atanh(double x) { return std::atanh(x); }

}  // namespace

const OpDef k_atanh = {
    .name = "atanh",
    .doc = R"(
The inverse hyperbolic tangent of x, element by element; NaN outside of [-1, 1].
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Atanh>,
};

}  // namespace millwright::mil
