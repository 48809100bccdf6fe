#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Floor(double x) { return std::floor(x); }

}  // namespace

const OpDef k_floor = {
    .name = "floor",
    .doc = R"(
The largest integer that is not above x, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Floor>,
};

}  // namespace millwright::mil
