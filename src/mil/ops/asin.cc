#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Asin(double x) { return std::asin(x); }

}  // namespace

const OpDef k_asin = {
    .name = "asin",
    .doc = R"(
The inverse sine of x in radians, element by element; NaN outside of [-1, 1].
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Asin>,
};

}  // namespace millwright::mil
