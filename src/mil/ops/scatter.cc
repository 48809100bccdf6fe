#include <utility>

#include "mil/ops/indexing.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckIndices(call, "indices"); !status) return status.error();
  const Shape& indices = call.type("indices").shape;
  Shape updates = call.type("data").shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), updates.size());
  if (!axis) return axis.error();
  if (indices.size() > 1) {
    return call.Bad("'indices' must have rank 0 or 1, found {}", ShapeToString(indices));
  }
  const auto at = updates.erase(updates.begin() + *axis);
  updates.insert(at, indices.begin(), indices.end());
  return InferScatter(call, updates);
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Result<Update> update = ReadUpdate(call);
  if (!update) return update.error();
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), results[0].shape.size());
  if (!axis) return axis.error();
  const std::vector<double>& indices = call.array("indices").data;
  const AxisSplit to = SplitAt(results[0].shape, static_cast<size_t>(*axis));
  Array result{results[0], call.array("data").data};
  const double* in = call.array("updates").data.data();
  for (int64_t outer = 0; outer < to.outer; ++outer) {
    for (double value : indices) {
      const Result<int64_t> index = ReadIndex(call, value, static_cast<size_t>(*axis), to.length);
      if (!index) return index.error();
      double* out = result.data.data() + (outer * to.length + *index) * to.inner;
      for (int64_t i = 0; i < to.inner; ++i) out[i] = update->apply(out[i], *in++);
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_scatter = {
    .name = "scatter",
    .doc = R"(
data with updates at some indices of an axis, made one after the other: with axis 0 and mode "add",
  result[indices[i], ...] += updates[i, ...]
  data              any numeric tensor of rank 1 or more
  indices           int32 (also int16, uint16, int8, uint8), rank 0 or 1; negative ones count from the
                    back, others outside of the axis are an error when the program runs
  updates           [data.shape[:axis], indices.shape, data.shape[axis+1:]] of the dtype of data
  axis              constant int, default 0
  mode              constant string: "add" (default), "update", "sub", "mul", "div", "max" or "min": what
                    becomes of an element and its update
  validate_indices  constant bool, accepted; indices are always checked here (ios17)
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 scatter_gather.)",
    .params = ScatterParams(/*axis=*/true),
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
