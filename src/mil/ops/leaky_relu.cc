#include "mil/ops/activation.h"

namespace millwright::mil {
namespace {

double LeakyRelu(double x, double alpha) { return x < 0.0 ? alpha * x : x; }

}  // namespace

const OpDef k_leaky_relu = {
    .name = "leaky_relu",
    .doc = R"(
x where x >= 0, alpha * x elsewhere, element by element.
  x       fp16 or fp32
  alpha   a constant float
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 activation.)",
    .params = {{.name = "x"}, {.name = "alpha", .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = EvaluateAlpha<LeakyRelu>,
};

}  // namespace millwright::mil
