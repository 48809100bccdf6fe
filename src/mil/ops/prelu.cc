#include "mil/ops/channels.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckChannels(call, {"alpha"}); !status) return status.error();
  return std::vector<Type>{call.type("x")};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const std::vector<double>& alpha = call.array("alpha").data;
  return std::vector<Array>{MapChannels(call.array("x"), results[0], [&](double x, size_t channel) {
    return x < 0.0 ? alpha[channel] * x : x;
  })};
}

}  // namespace

const OpDef k_prelu = {
    .name = "prelu",
    .doc = R"(
x where x >= 0, alpha[c] * x elsewhere, where c is the channel of the element.
  x       [n, C, *D], fp16 or fp32, rank 3 to 5
  alpha   constant [C], a float
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 activation.)",
    .params = {{.name = "x"}, {.name = "alpha", .constant = true}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
