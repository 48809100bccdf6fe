#include "mil/ops/slice.h"
#include "mil/ops/slice_clamp.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  const Result<std::vector<AxisSlice>> slices = ReadAxisSlices(call, x.shape);
  if (!slices) return slices.error();
  return std::vector<Type>{{x.dtype, SliceShape(*slices)}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Array& x = call.array("x");
  const Result<std::vector<AxisSlice>> slices = ReadAxisSlices(call, x.type.shape);
  if (!slices) return slices.error();
  const SlicePlace place = PlaceSlice(*slices, x.type.shape);
  Array result{results[0], Gathered(x.data.data() + place.offset, results[0].shape, place.strides)};
  if (!slices->empty()) ClampSlice(numerics, slices->back().first, &result.data);
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_slice_by_index = {
    .name = "slice_by_index",
    .doc = R"(
x[begin:end:stride] along every axis, by Python's rules. An empty result is refused.
  x             any tensor
  begin, end    constant lists, one entry an axis; negative indices count from the back
  stride        constant list, default all 1; may be negative, not 0
  begin_mask    constant bools: where true, begin is ignored and the slice starts at the first element
                (at the last one for a negative stride)
  end_mask      constant bools: where true, end is ignored and the slice goes on to the other end
  squeeze_mask  constant bools: where true, only element begin is taken and the axis is dropped
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "begin", .constant = true, .kind = ParamKind::kInts},
               {.name = "end", .constant = true, .kind = ParamKind::kInts},
               {.name = "stride", .required = false, .constant = true, .kind = ParamKind::kInts},
               {.name = "begin_mask", .required = false, .constant = true},
               {.name = "end_mask", .required = false, .constant = true},
               {.name = "squeeze_mask", .required = false, .constant = true}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
