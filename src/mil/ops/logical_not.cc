#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckDType(call, "x", {DType::kBool}); !status) return status.error();
  return std::vector<Type>{call.type("x")};
}

double Not(double x) { return x == 0.0 ? 1.0 : 0.0; }

}  // namespace

const OpDef k_logical_not = {
    .name = "logical_not",
    .doc = R"(
Whether x is false, element by element.
  x       bool
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}},
    .infer = Infer,
    .evaluate = EvaluateUnary<Not>,
};

}  // namespace millwright::mil
