#include <utility>

#include "mil/ops/indexing.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Result<size_t> axis = ReadAlongAxis(call, "data");
  if (!axis) return axis.error();
  return InferScatter(call, call.type("indices").shape);
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Result<Update> update = ReadUpdate(call);
  if (!update) return update.error();
  const Result<size_t> axis = ReadAlongAxis(call, "data");
  if (!axis) return axis.error();
  const Array& indices = call.array("indices");
  const std::vector<double>& updates = call.array("updates").data;
  const AxisSplit from = SplitAt(indices.type.shape, *axis);
  const AxisSplit to = SplitAt(results[0].shape, *axis);
  Array result{results[0], call.array("data").data};
  for (int64_t line = 0; line < from.lines(); ++line) {
    for (int64_t i = 0; i < from.length; ++i) {
      const auto at = static_cast<size_t>(from.First(line) + i * from.inner);
      const Result<int64_t> index = ReadIndex(call, indices.data[at], *axis, to.length);
      if (!index) return index.error();
      double& out = result.data[static_cast<size_t>(to.First(line) + *index * to.inner)];
      out = update->apply(out, updates[at]);
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_scatter_along_axis = {
    .name = "scatter_along_axis",
    .doc = R"(
data with updates at indices along an axis, made in row-major order: with axis 1 and mode "add",
  result[i, indices[i, j, k], k] += updates[i, j, k]
  data              any numeric tensor of rank 1 or more
  indices           int32 (also int16, uint16, int8, uint8) of the shape of data but for axis; negative ones
                    count from the back, others outside of the axis are an error when the program runs
  updates           of the dtype of data and the shape of indices
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
