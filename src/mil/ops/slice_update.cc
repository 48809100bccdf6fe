#include <utility>

#include "mil/ops/slice.h"

namespace millwright::mil {
namespace {

Status CheckUpdate(const Call& call, const std::vector<AxisSlice>& slices) {
  const Shape& found = call.type("update").shape;
  if (SliceShape(slices) == found) return {};
  return call.Bad("'update' must have the shape {} of the slice, found {}",
                  ShapeToString(SliceShape(slices)), ShapeToString(found));
}

Types Infer(const Call& call) {
  if (Status status = CheckSameDType(call, "x", "update"); !status) return status.error();
  if (call.type("update").shape.empty()) {
    return call.Bad("'update' must be a tensor, found {}", ToString(call.type("update")));
  }
  const Type& x = call.type("x");
  const Shape list{static_cast<int64_t>(x.shape.size())};
  bool known = true;
  for (std::string_view key : {"begin", "end"}) {
    if (Status status = CheckIndices(call, key); !status) return status.error();
    if (call.type(key).shape != list) {
      return call.Bad("'{}' must have one entry for each axis of {}, found {}", key, ToString(x),
                      ToString(call.type(key)));
    }
    known = known && call.Find(key)->arrays.front() != nullptr;
  }
  if (!known) return std::vector<Type>{x};
  const Result<std::vector<AxisSlice>> slices = ReadAxisSlices(call, x.shape);
  if (!slices) return slices.error();
  if (Status status = CheckUpdate(call, *slices); !status) return status.error();
  return std::vector<Type>{x};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Result<std::vector<AxisSlice>> slices = ReadAxisSlices(call, results[0].shape);
  if (!slices) return slices.error();
  if (Status status = CheckUpdate(call, *slices); !status) return status.error();
  const Array& update = call.array("update");
  const SlicePlace place = PlaceSlice(*slices, results[0].shape);
  Array result{results[0], call.array("x").data};
  Ungather(update.data, update.type.shape, place.strides, result.data.data() + place.offset);
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_slice_update = {
    .name = "slice_update",
    .doc = R"(
x with the elements that slice_by_index would take replaced by those of another tensor.
  x             any numeric tensor
  update        of the dtype of x and the shape of the slice, rank 1 or more
  begin, end    lists as in slice_by_index; they may be known only when the program runs, when a slice of
                another shape than that of update is an error
  stride        constant list, default all 1
  begin_mask    constant bools, as in slice_by_index
  end_mask      constant bools
  squeeze_mask  constant bools
Opset ios18. Source: coremltools, MIL ops, iOS18 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "update"},
               {.name = "begin"},
               {.name = "end"},
               {.name = "stride", .required = false, .constant = true, .kind = ParamKind::kInts},
               {.name = "begin_mask", .required = false, .constant = true},
               {.name = "end_mask", .required = false, .constant = true},
               {.name = "squeeze_mask", .required = false, .constant = true}},
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 18,
};

}  // namespace millwright::mil
