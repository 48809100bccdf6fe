#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Acos(double x) { return std::acos(x); }

}  // namespace

const OpDef k_acos = {
    .name = "acos",
    .doc = R"(
The inverse cosine of x in radians, element by element; NaN outside of [-1, 1].
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Acos>,
};

}  // namespace millwright::mil
