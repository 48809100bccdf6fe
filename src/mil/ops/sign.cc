#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Sign(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x; }

}  // namespace

const OpDef k_sign = {
    .name = "sign",
    .doc = R"(
-1, 0 or 1 with the sign of x, element by element; NaN stays NaN.
  x       fp16, fp32 or int32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferNumericUnary,
    .evaluate = EvaluateUnary<Sign>,
};

}  // namespace millwright::mil
