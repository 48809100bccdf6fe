#include <cmath>

#include "base/ane_tables.h"
#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Tanh(double x) { return std::tanh(x); }

}  // namespace

const OpDef k_tanh = {
    .name = "tanh",
    .doc = R"(
tanh(x), element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateTabled<Tanh, AneTanh>,
};

}  // namespace millwright::mil
