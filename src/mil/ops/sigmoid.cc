#include <cmath>

#include "base/ane_tables.h"
#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace

const OpDef k_sigmoid = {
    .name = "sigmoid",
    .doc = R"(
1 / (1 + e^-x), element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 activation.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateTabled<Sigmoid, AneSigmoid>,
};

}  // namespace millwright::mil
