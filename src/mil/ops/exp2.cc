#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Exp2(double x) { return std::exp2(x); }

}  // namespace

const OpDef k_exp2 = {
    .name = "exp2",
    .doc = R"(
2^x, element by element; of int32 the integer part.
  x       fp16, fp32 or int32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferNumericUnary,
    .evaluate = EvaluateUnary<Exp2>,
};

}  // namespace millwright::mil
