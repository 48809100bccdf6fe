#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Divide(double x, double y) { return x / y; }

}  // namespace

const OpDef k_real_div = {
    .name = "real_div",
    .doc = R"(
x / y, element by element.
  x, y    fp16 or fp32, of one dtype, broadcast together
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_binary.)",
    .params = {{.name = "x"}, {.name = "y"}},
    .infer = InferFloatBinary,
    .evaluate = EvaluateBinary<Divide>,
};

}  // namespace millwright::mil
