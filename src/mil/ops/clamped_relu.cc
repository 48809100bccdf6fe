#include <algorithm>

#include "mil/ops/activation.h"

namespace millwright::mil {
namespace {

double ClampedRelu(double x, double alpha, double beta) {
  return std::min(x < 0.0 ? alpha * x : x, beta);
}

}  // namespace

const OpDef k_clamped_relu = {
    .name = "clamped_relu",
    .doc = R"(
min(x, beta) where x >= 0, min(alpha * x, beta) elsewhere, element by element.
  x       fp16 or fp32
  alpha   a constant float
  beta    a constant float
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 activation.)",
    .params = {{.name = "x"},
               {.name = "alpha", .constant = true, .kind = ParamKind::kFloat},
               {.name = "beta", .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = EvaluateAlphaBeta<ClampedRelu>,
};

}  // namespace millwright::mil
