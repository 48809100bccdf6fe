#include "mil/ops/rules.h"
#include "mil/ops/slice_clamp.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  const std::vector<int64_t> begin = call.Ints("begin");
  Shape size = call.Ints("size");
  if (begin.size() != x.shape.size() || size.size() != x.shape.size()) {
    return call.Bad("'begin' {} and 'size' {} must have one entry for each axis of {}",
                    ShapeToString(begin), ShapeToString(size), ToString(x));
  }
  for (size_t axis = 0; axis < size.size(); ++axis) {
    if (size[axis] == -1) size[axis] = x.shape[axis] - begin[axis];
    if (begin[axis] < 0 || size[axis] < 1 || size[axis] > x.shape[axis] - begin[axis]) {
      return call.Bad("axis {}: {} elements from {} are not inside {}", axis, size[axis],
                      begin[axis], ToString(x));
    }
  }
  return std::vector<Type>{{x.dtype, size}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Array& x = call.array("x");
  const Strides strides = RowMajorStrides(x.type.shape);
  const std::vector<int64_t> begin = call.Ints("begin");
  int64_t offset = 0;
  for (size_t axis = 0; axis < strides.size(); ++axis) offset += begin[axis] * strides[axis];
  Array result{results[0], Gathered(x.data.data() + offset, results[0].shape, strides)};
  if (!begin.empty()) ClampSlice(numerics, begin.back(), &result.data);
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_slice_by_size = {
    .name = "slice_by_size",
    .doc = R"(
size[i] elements from begin[i] along every axis i.
  x       any tensor
  begin   constant list, one entry an axis, not negative
  size    constant list, one entry an axis; -1 means up to the end
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "begin", .constant = true, .kind = ParamKind::kInts},
               {.name = "size", .constant = true, .kind = ParamKind::kInts}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
