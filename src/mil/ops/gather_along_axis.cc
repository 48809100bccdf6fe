#include <utility>

#include "mil/ops/indexing.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Result<size_t> axis = ReadAlongAxis(call, "x");
  if (!axis) return axis.error();
  return std::vector<Type>{{call.type("x").dtype, call.type("indices").shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Result<size_t> axis = ReadAlongAxis(call, "x");
  if (!axis) return axis.error();
  const Array& x = call.array("x");
  const Array& indices = call.array("indices");
  const AxisSplit from = SplitAt(x.type.shape, *axis);
  const AxisSplit to = SplitAt(results[0].shape, *axis);
  Array result = NewArray(results[0]);
  for (int64_t line = 0; line < to.lines(); ++line) {
    for (int64_t i = 0; i < to.length; ++i) {
      const auto at = static_cast<size_t>(to.First(line) + i * to.inner);
      const Result<int64_t> index = ReadIndex(call, indices.data[at], *axis, from.length);
      if (!index) return index.error();
      result.data[at] = x.data[static_cast<size_t>(from.First(line) + *index * from.inner)];
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_gather_along_axis = {
    .name = "gather_along_axis",
    .doc = R"(
The elements of x at indices along an axis: with axis 1,
  result[i, j, k] = x[i, indices[i, j, k], k]
  x                 any tensor of rank 1 or more
  indices           int32 (ios16: also int16, uint16; ios17: also int8, uint8) of the shape of x but
                    for axis; negative ones count from the back, others outside of the axis are an error
                    when the program runs
  axis              constant int, default 0
  validate_indices  constant bool, accepted; indices are always checked here (ios17)
Opset ios15. Source: coremltools, MIL ops, iOS15, iOS16 and iOS17 scatter_gather.)",
    .params = {{.name = "x"},
               {.name = "indices"},
               {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt},
               {.name = "validate_indices",
                .required = false,
                .constant = true,
                .kind = ParamKind::kBool}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
