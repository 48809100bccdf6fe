#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Magnitude(double x) { return std::abs(x); }

}  // namespace

const OpDef k_abs = {
    .name = "abs",
    .doc = R"(
|x|, element by element.
  x       fp16, fp32 or int32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferNumericUnary,
    .evaluate = EvaluateUnary<Magnitude>,
};

}  // namespace millwright::mil
