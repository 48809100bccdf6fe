#include <algorithm>
#include <cmath>

#include "mil/ops/channels.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckChannels(call, {"alpha", "beta"}); !status) return status.error();
  return std::vector<Type>{call.type("x")};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const std::vector<double>& alpha = call.array("alpha").data;
  const std::vector<double>& beta = call.array("beta").data;
  return std::vector<Array>{MapChannels(call.array("x"), results[0], [&](double x, size_t channel) {
    const double scaled = beta[channel] * x;
    return alpha[channel] * (std::max(scaled, 0.0) + std::log1p(std::exp(-std::abs(scaled))));
  })};
}

}  // namespace

const OpDef k_softplus_parametric = {
    .name = "softplus_parametric",
    .doc = R"(
alpha[c] * ln(1 + e^(beta[c] x)), where c is the channel of the element; computed so that nothing
overflows.
  x            [n, C, *D], fp16 or fp32, rank 3 to 5
  alpha, beta  constants [C], floats
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 activation.)",
    .params = {{.name = "x"},
               {.name = "alpha", .constant = true},
               {.name = "beta", .constant = true}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
