#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Softsign(double x) { return x / (1.0 + std::abs(x)); }

}  // namespace

const OpDef k_softsign = {
    .name = "softsign",
    .doc = R"(
x / (1 + |x|), element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 activation.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Softsign>,
};

}  // namespace millwright::mil
