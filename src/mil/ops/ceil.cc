#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Ceil(double x) { return std::ceil(x); }

}  // namespace

const OpDef k_ceil = {
    .name = "ceil",
    .doc = R"(
The smallest integer that is not below x, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Ceil>,
};

}  // namespace millwright::mil
