#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Square(double x) { return x * x; }

}  // namespace

const OpDef k_square = {
    .name = "square",
    .doc = R"(
x * x, element by element.
  x       fp16, fp32 or int32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferNumericUnary,
    .evaluate = EvaluateUnary<Square>,
};

}  // namespace millwright::mil
