#include "mil/ops/activation.h"

namespace millwright::mil {
namespace {

double ThresholdedRelu(double x, double alpha) { return x >= alpha ? x : 0.0; }

}  // namespace

const OpDef k_thresholded_relu = {
    .name = "thresholded_relu",
    .doc = R"(
x where x >= alpha, 0 elsewhere, element by element.
  x       fp16 or fp32
  alpha   a constant float
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 activation.)",
    .params = {{.name = "x"}, {.name = "alpha", .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = EvaluateAlpha<ThresholdedRelu>,
};

}  // namespace millwright::mil
