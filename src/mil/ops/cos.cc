#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Cos(double x) { return std::cos(x); }

}  // namespace

const OpDef k_cos = {
    .name = "cos",
    .doc = R"(
The cosine of x in radians, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Cos>,
};

}  // namespace millwright::mil
