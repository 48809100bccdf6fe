#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Sin(double x) { return std::sin(x); }

}  // namespace

const OpDef k_sin = {
    .name = "sin",
    .doc = R"(
The sine of x in radians, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Sin>,
};

}  // namespace millwright::mil
