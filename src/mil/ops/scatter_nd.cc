#include <utility>

#include "mil/ops/indexing.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Result<Slices> slices = ReadSlices(call, "data");
  if (!slices) return slices.error();
  return InferScatter(call,
                      SlicedShape(call.type("data").shape, call.type("indices").shape, *slices));
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Result<Update> update = ReadUpdate(call);
  if (!update) return update.error();
  const Result<Slices> slices = ReadSlices(call, "data");
  if (!slices) return slices.error();
  const int64_t count = call.type("indices").elements() / static_cast<int64_t>(slices->depth);
  const int64_t size = call.type("updates").elements() / count;
  Array result{results[0], call.array("data").data};
  const double* in = call.array("updates").data.data();
  for (int64_t i = 0; i < count; ++i) {
    const Result<int64_t> offset = SliceOffset(call, *slices, results[0].shape, i);
    if (!offset) return offset.error();
    double* out = result.data.data() + *offset;
    for (int64_t j = 0; j < size; ++j) out[j] = update->apply(out[j], *in++);
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_scatter_nd = {
    .name = "scatter_nd",
    .doc = R"(
data with updates at slices that the last axis of indices names, made one after the other: with mode "add",
  result[indices[i.., 0], indices[i.., 1], .., ...] += updates[i.., ...]
  data              any numeric tensor
  indices           int32 (also int16, uint16, int8, uint8); negative ones count from the back, others
                    outside of an axis are an error when the program runs
  updates           [indices.shape[:-1], data.shape[indices.shape[-1]:]] of the dtype of data
  mode              constant string: "add" (default), "update", "sub", "mul", "div", "max" or "min": what
                    becomes of an element and its update
  validate_indices  constant bool, accepted; indices are always checked here (ios17)
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 scatter_gather.)",
    .params = ScatterParams(/*axis=*/false),
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
