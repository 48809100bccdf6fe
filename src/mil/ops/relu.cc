#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Relu(double x) { return x < 0.0 ? 0.0 : x; }

}  // namespace

const OpDef k_relu = {
    .name = "relu",
    .doc = R"(
max(0, x), element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 activation.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Relu>,
};

}  // namespace millwright::mil
