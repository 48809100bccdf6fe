#include <algorithm>

#include "mil/ops/activation.h"

namespace millwright::mil {
namespace {

double SigmoidHard(double x, double alpha, double beta) {
  return std::clamp(alpha * x + beta, 0.0, 1.0);
}

}  // namespace

const OpDef k_sigmoid_hard = {
    .name = "sigmoid_hard",
    .doc = R"(
min(max(alpha * x + beta, 0), 1), element by element.
  x       fp16 or fp32
  alpha   a constant float
  beta    a constant float
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 activation.)",
    .params = {{.name = "x"},
               {.name = "alpha", .constant = true, .kind = ParamKind::kFloat},
               {.name = "beta", .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = EvaluateAlphaBeta<SigmoidHard>,
};

}  // namespace millwright::mil
