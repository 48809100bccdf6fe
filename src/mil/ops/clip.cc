#include <algorithm>

#include "mil/ops/activation.h"

namespace millwright::mil {
namespace {

double Clip(double x, double alpha, double beta) { return std::min(std::max(x, alpha), beta); }

}  // namespace

const OpDef k_clip = {
    .name = "clip",
    .doc = R"(
min(max(x, alpha), beta), element by element.
  x       fp16 or fp32
  alpha   a constant float
  beta    a constant float; below alpha it is what every element becomes (an error in coremltools' ios17)
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 elementwise_unary.)",
    .params = {{.name = "x"},
               {.name = "alpha", .constant = true, .kind = ParamKind::kFloat},
               {.name = "beta", .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = EvaluateAlphaBeta<Clip>,
};

}  // namespace millwright::mil
