#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Relu6(double x) { return x < 0.0 ? 0.0 : x > 6.0 ? 6.0 : x; }

}  // namespace

const OpDef k_relu6 = {
    .name = "relu6",
    .doc = R"(
min(max(x, 0), 6), element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 activation.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Relu6>,
};

}  // namespace millwright::mil
