#include <algorithm>

#include "mil/ops/rules.h"
#include "mil/ops/slice_clamp.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

// What one call selects along one axis.
struct AxisSlice {
  int64_t first = 0;
  int64_t step = 1;
  int64_t count = 0;
  bool squeezed = false;
};

// One flag an axis, false where the mask is absent.
Result<std::vector<bool>> ReadMask(const Call& call, std::string_view key, size_t rank) {
  if (!call.Has(key)) return std::vector<bool>(rank, false);
  if (Status status = CheckDType(call, key, {DType::kBool}); !status) return status.error();
  const std::vector<int64_t> flags = call.Ints(key);
  if (call.type(key).shape.size() != 1 || flags.size() != rank) {
    return call.Bad("'{}' must have one bool for each of {} axes, found {}", key, rank,
                    ToString(call.type(key)));
  }
  return std::vector<bool>(flags.begin(), flags.end());
}

// Python's rule for x[begin:end:step]: negative indices count from the back, then both are clamped.
AxisSlice SliceAxis(int64_t begin, int64_t end, int64_t step, bool from_start, bool to_end,
                    int64_t length) {
  const int64_t low = step > 0 ? 0 : -1;
  const int64_t high = step > 0 ? length : length - 1;
  const auto place = [&](int64_t index) {
    return std::clamp(index < 0 ? index + length : index, low, high);
  };
  AxisSlice slice{.first = from_start ? (step > 0 ? 0 : length - 1) : place(begin), .step = step};
  const int64_t last = to_end ? (step > 0 ? length : -1) : place(end);
  const int64_t span = step > 0 ? last - slice.first : slice.first - last;
  const int64_t stride = step > 0 ? step : -step;
  slice.count = std::max<int64_t>(0, (span + stride - 1) / stride);
  return slice;
}

Result<std::vector<AxisSlice>> ReadSlices(const Call& call) {
  const Shape& shape = call.type("x").shape;
  const size_t rank = shape.size();
  const std::vector<int64_t> begin = call.Ints("begin");
  const std::vector<int64_t> end = call.Ints("end");
  const std::vector<int64_t> stride = call.Ints("stride", std::vector<int64_t>(rank, 1));
  if (begin.size() != rank || end.size() != rank || stride.size() != rank) {
    return call.Bad("'begin' {}, 'end' {} and 'stride' {} must have one entry for each axis of {}",
                    ShapeToString(begin), ShapeToString(end), ShapeToString(stride),
                    ShapeToString(shape));
  }
  const Result<std::vector<bool>> begin_mask = ReadMask(call, "begin_mask", rank);
  if (!begin_mask) return begin_mask.error();
  const Result<std::vector<bool>> end_mask = ReadMask(call, "end_mask", rank);
  if (!end_mask) return end_mask.error();
  const Result<std::vector<bool>> squeeze_mask = ReadMask(call, "squeeze_mask", rank);
  if (!squeeze_mask) return squeeze_mask.error();
  std::vector<AxisSlice> slices;
  for (size_t axis = 0; axis < rank; ++axis) {
    if (stride[axis] == 0) return call.Bad("axis {}: the stride must not be 0", axis);
    AxisSlice slice;
    if ((*squeeze_mask)[axis]) {
      const int64_t from_back = begin[axis] < 0 ? shape[axis] : 0;
      const int64_t index = (*begin_mask)[axis] ? 0 : begin[axis] + from_back;
      const bool inside = index >= 0 && index < shape[axis];
      slice = {.first = index, .step = 1, .count = inside ? 1 : 0, .squeezed = true};
    } else {
      slice = SliceAxis(begin[axis], end[axis], stride[axis], (*begin_mask)[axis],
                        (*end_mask)[axis], shape[axis]);
    }
    if (slice.count == 0) {
      return call.Bad("axis {}: nothing of {} lies between {} and {} with stride {}", axis,
                      ShapeToString(shape), begin[axis], end[axis], stride[axis]);
    }
    slices.push_back(slice);
  }
  return slices;
}

Types Infer(const Call& call) {
  const Result<std::vector<AxisSlice>> slices = ReadSlices(call);
  if (!slices) return slices.error();
  Shape shape;
  for (const AxisSlice& slice : *slices) {
    if (!slice.squeezed) shape.push_back(slice.count);
  }
  return std::vector<Type>{{call.type("x").dtype, shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Array& x = call.array("x");
  const Result<std::vector<AxisSlice>> slices = ReadSlices(call);
  if (!slices) return slices.error();
  const Strides dense = RowMajorStrides(x.type.shape);
  Strides strides;
  int64_t offset = 0;
  for (size_t axis = 0; axis < dense.size(); ++axis) {
    const AxisSlice& slice = (*slices)[axis];
    offset += slice.first * dense[axis];
    if (!slice.squeezed) strides.push_back(slice.step * dense[axis]);
  }
  Array result{results[0], Gathered(x.data.data() + offset, results[0].shape, strides)};
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
