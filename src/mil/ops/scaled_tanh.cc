#include <cmath>

#include "mil/ops/activation.h"

namespace millwright::mil {
namespace {

double ScaledTanh(double x, double alpha, double beta) { return alpha * std::tanh(beta * x); }

}  // namespace

const OpDef k_scaled_tanh = {
    .name = "scaled_tanh",
    .doc = R"(
alpha * tanh(beta * x), element by element.
  x       fp16 or fp32
  alpha   a constant float
  beta    a constant float
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 activation.)",
    .params = {{.name = "x"},
               {.name = "alpha", .constant = true, .kind = ParamKind::kFloat},
               {.name = "beta", .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = EvaluateAlphaBeta<ScaledTanh>,
};

}  // namespace millwright::mil
