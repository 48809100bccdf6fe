#include <cmath>

#include "base/ane_tables.h"
#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Exp(double x) { return std::exp(x); }

}  // namespace

const OpDef k_exp = {
    .name = "exp",
    .doc = R"(
e^x, element by element.
  x       fp16 or fp32
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = InferUnary,
    .evaluate = EvaluateTabled<Exp, AneExp>,
};

}  // namespace millwright::mil
