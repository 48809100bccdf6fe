#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Atan(double x) { return std::atan(x); }

}  // namespace

const OpDef k_atan = {
    .name = "atan",
    .doc = R"(
The inverse tangent of x in radians, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Atan>,
};

}  // namespace millwright::mil
