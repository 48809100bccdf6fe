#include <algorithm>
#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

}  // namespace

const OpDef k_softplus = {
    .name = "softplus",
    .doc = R"(
ln(1 + e^x), element by element, computed as max(x, 0) + ln(1 + e^-|x|) so that nothing overflows.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 activation.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateUnary<Softplus>,
};

}  // namespace millwright::mil
