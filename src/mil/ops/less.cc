#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Less(double x, double y) { return x < y ? 1.0 : 0.0; }

}  // namespace

const OpDef k_less = {
    .name = "less",
    .doc = R"(
x < y as a bool, element by element; false where either is NaN.
  x, y    fp16, fp32 or int32, of one dtype, broadcast together
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_binary.)",
    .params = {{.name = "x"}, {.name = "y"}},
    .infer = InferComparison,
    .evaluate = EvaluateBinary<Less>,
};

}  // namespace millwright::mil
