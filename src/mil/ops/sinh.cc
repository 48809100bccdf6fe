#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Sinh(double x) { return std::sinh(x); }

}  // namespace

const OpDef k_sinh = {
    .name = "sinh",
    .doc = R"(
The hyperbolic sine of x, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Sinh>,
};

}  // namespace millwright::mil
