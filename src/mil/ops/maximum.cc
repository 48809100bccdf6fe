#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Maximum(double x, double y) { return std::isnan(x) || x > y ? x : y; }

}  // namespace

const OpDef k_maximum = {
    .name = "maximum",
    .doc = R"(
The larger of x and y, element by element; NaN where either is NaN.
  x, y    fp16, fp32 or int32, of one dtype, broadcast together
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_binary.)",
    .params = {{.name = "x"}, {.name = "y"}},
    .infer = InferBinary,
    .evaluate = EvaluateBinary<Maximum>,
};

}  // namespace millwright::mil
