#include "mil/ops/activation.h"

namespace millwright::mil {
namespace {

double LinearActivation(double x, double alpha, double beta) { return alpha * x + beta; }

}  // namespace

const OpDef k_linear_activation = {
    .name = "linear_activation",
    .doc = R"(
alpha * x + beta, element by element.
  x       fp16 or fp32
  alpha   a constant float
  beta    a constant float
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 activation.)",
    .params = {{.name = "x"},
               {.name = "alpha", .constant = true, .kind = ParamKind::kFloat},
               {.name = "beta", .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = EvaluateAlphaBeta<LinearActivation>,
};

}  // namespace millwright::mil
