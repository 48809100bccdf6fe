#include <algorithm>

#include "mil/ops/activation.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckSameDType(call, "x", "alpha"); !status) return status.error();
  if (!call.type("alpha").shape.empty()) {
    return call.Bad("'alpha' must be a scalar, found {}", ToString(call.type("alpha")));
  }
  return InferNumericUnary(call);
}

double Threshold(double x, double alpha) { return std::max(x, alpha); }

}  // namespace

const OpDef k_threshold = {
    .name = "threshold",
    .doc = R"(
max(x, alpha), element by element.
  x       fp16, fp32 or int32
  alpha   a constant scalar of that dtype
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"}, {.name = "alpha", .constant = true}},
    .infer = Infer,
    .evaluate = EvaluateAlpha<Threshold>,
};

}  // namespace millwright::mil
