#include <cmath>

#include "mil/ops/channels.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Status status = CheckChannels(call, {"mean", "variance", "gamma", "beta"});
  if (!status) return status.error();
  return std::vector<Type>{call.type("x")};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const std::vector<double>& mean = call.array("mean").data;
  const std::vector<double>& variance = call.array("variance").data;
  const double epsilon = call.Float("epsilon", 1e-5);
  std::vector<double> scale(mean.size());
  for (size_t c = 0; c < scale.size(); ++c) {
    scale[c] =
        (call.Has("gamma") ? call.array("gamma").data[c] : 1.0) / std::sqrt(variance[c] + epsilon);
  }
  const double* beta = call.Has("beta") ? call.array("beta").data.data() : nullptr;
  return std::vector<Array>{MapChannels(call.array("x"), results[0], [&](double x, size_t channel) {
    return scale[channel] * (x - mean[channel]) + (beta ? beta[channel] : 0.0);
  })};
}

}  // namespace

const OpDef k_batch_norm = {
    .name = "batch_norm",
    .doc = R"(
gamma[c] * (x - mean[c]) / sqrt(variance[c] + epsilon) + beta[c], where c is the channel of the element.
  x               [n, C, *D], fp16 or fp32, rank 3 to 5
  mean, variance  constants [C], floats
  gamma           constant [C], a float, default all 1
  beta            constant [C], a float, default all 0
  epsilon         a constant float, default 1e-5
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 normalization.)",
    .params = {{.name = "x"},
               {.name = "mean", .constant = true},
               {.name = "variance", .constant = true},
               {.name = "gamma", .required = false, .constant = true},
               {.name = "beta", .required = false, .constant = true},
               {.name = "epsilon", .required = false, .constant = true, .kind = ParamKind::kFloat}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
