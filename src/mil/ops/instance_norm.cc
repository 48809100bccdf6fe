#include <utility>

#include "mil/ops/channels.h"
#include "mil/ops/normalize_row.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Status status = CheckChannels(call, {"gamma", "beta"});
  if (!status) return status.error();
  if (call.type("x").shape.size() > 4) {
    return call.Bad("'x' must have rank 3 or 4, found {}", ToString(call.type("x")));
  }
  return std::vector<Type>{call.type("x")};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  Array result{results[0], call.array("x").data};
  const AxisSplit split = SplitAt(results[0].shape, 1);
  const auto size = static_cast<size_t>(split.inner);
  const double epsilon = call.Float("epsilon", 1e-5);
  for (int64_t i = 0; i < split.outer * split.length; ++i) {
    const auto channel = static_cast<size_t>(i % split.length);
    double* row = result.data.data() + static_cast<size_t>(i) * size;
    NormalizeRow(row, size, epsilon);
    const double gamma = call.Has("gamma") ? call.array("gamma").data[channel] : 1.0;
    const double beta = call.Has("beta") ? call.array("beta").data[channel] : 0.0;
    for (size_t j = 0; j < size; ++j) row[j] = gamma * row[j] + beta;
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_instance_norm = {
    .name = "instance_norm",
    .doc = R"(
gamma[c] * (x - m) / sqrt(v + epsilon) + beta[c], where m is the mean and v the variance (divided by the
number of elements) of the element's channel c in its batch. Both are summed wide in every precision.
  x        [n, C, *D], fp16 or fp32, rank 3 or 4
  gamma    constant [C], a float, default all 1
  beta     constant [C], a float, default all 0
  epsilon  a constant float, default 1e-5
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 normalization.)",
    .params = {{.name = "x"},
               {.name = "gamma", .required = false, .constant = true},
               {.name = "beta", .required = false, .constant = true},
               {.name = "epsilon", .required = false, .constant = true, .kind = ParamKind::kFloat}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
