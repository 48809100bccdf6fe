#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Power(double x, double y) { return std::pow(x, y); }

}  // namespace

const OpDef k_pow = {
    .name = "pow",
    .doc = R"(
x to the power of y, element by element; NaN where x < 0 and y is not an integer.
  x, y    fp16, fp32 or int32, of one dtype, broadcast together
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_binary.)",
    .params = {{.name = "x"}, {.name = "y"}},
    .infer = InferBinary,
    .evaluate = EvaluateBinary<Power>,
};

}  // namespace millwright::mil
