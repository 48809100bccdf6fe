#include <algorithm>
#include <utility>

#include "mil/ops/indexing.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Result<Slices> slices = ReadSlices(call, "x");
  if (!slices) return slices.error();
  const Type& x = call.type("x");
  return std::vector<Type>{{x.dtype, SlicedShape(x.shape, call.type("indices").shape, *slices)}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Result<Slices> slices = ReadSlices(call, "x");
  if (!slices) return slices.error();
  const Array& x = call.array("x");
  const int64_t count = call.type("indices").elements() / static_cast<int64_t>(slices->depth);
  const int64_t size = results[0].elements() / count;
  Array result = NewArray(results[0]);
  for (int64_t i = 0; i < count; ++i) {
    const Result<int64_t> offset = SliceOffset(call, *slices, x.type.shape, i);
    if (!offset) return offset.error();
    std::copy_n(x.data.begin() + *offset, size, result.data.begin() + i * size);
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_gather_nd = {
    .name = "gather_nd",
    .doc = R"(
Slices of x: the last axis of indices names places in the first axes of x,
  result[i.., ...] = x[indices[i.., 0], indices[i.., 1], .., ...]
  x                 any tensor
  indices           int32 (ios16: also int16, uint16; ios17: also int8, uint8); negative ones count
                    from the back, others outside of an axis are an error when the program runs
  batch_dims        constant int, default 0: that many first axes of x and indices go together (ios16)
  validate_indices  constant bool, accepted; indices are always checked here (ios17)
  result            [indices.shape[:-1], x.shape[batch_dims + indices.shape[-1]:]]
Opset ios15. Source: coremltools, MIL ops, iOS15, iOS16 and iOS17 scatter_gather.)",
    .params = {{.name = "x"},
               {.name = "indices"},
               {.name = "batch_dims", .required = false, .constant = true, .kind = ParamKind::kInt},
               {.name = "validate_indices",
                .required = false,
                .constant = true,
                .kind = ParamKind::kBool}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
