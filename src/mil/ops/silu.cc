#include <cmath>

#include "base/ane_tables.h"
#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Silu(double x) { return x / (1.0 + std::exp(-x)); }

}  // namespace

const OpDef k_silu = {
    .name = "silu",
    .doc = R"(
x * sigmoid(x), element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 activation.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateTabled<Silu, AneSilu>,
};

}  // namespace millwright::mil
