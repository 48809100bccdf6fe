#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double ToEven(double x) { return std::nearbyint(x); }

}  // namespace

const OpDef k_round = {
    .name = "round",
    .doc = R"(
The nearest integer, element by element; halves go to the even neighbour.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<ToEven>,
};

}  // namespace millwright::mil
