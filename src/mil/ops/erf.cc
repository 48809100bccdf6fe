#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double ErrorFunction(double x) { return std::erf(x); }

}  // namespace

const OpDef k_erf = {
    .name = "erf",
    .doc = R"(
The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<ErrorFunction>,
};

}  // namespace millwright::mil
