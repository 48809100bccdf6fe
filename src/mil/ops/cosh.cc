#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Cosh(double x) { return std::cosh(x); }

}  // namespace

const OpDef k_cosh = {
    .name = "cosh",
    .doc = R"(
The hyperbolic cosine of x, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Cosh>,
};

}  // namespace millwright::mil
