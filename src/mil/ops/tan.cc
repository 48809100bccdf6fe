#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Tan(double x) { return std::tan(x); }

}  // namespace

const OpDef k_tan = {
    .name = "tan",
    .doc = R"(
The tangent of x in radians, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Tan>,
};

}  // namespace millwright::mil
