#include <algorithm>

#include "mil/ops/rules.h"
#include "mil/ops/slice_clamp.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

// The result's shape, for a begin that is known.
Result<Shape> ReadSize(const Call& call, const std::vector<int64_t>& begin) {
  const Type& x = call.type("x");
  Shape size = call.Ints("size");
  for (size_t axis = 0; axis < size.size(); ++axis) {
    if (size[axis] == -1) size[axis] = x.shape[axis] - begin[axis];
    if (begin[axis] < 0 || size[axis] < 1 || size[axis] > x.shape[axis] - begin[axis]) {
      return call.Bad("axis {}: {} elements from {} are not inside {}", axis, size[axis],
                      begin[axis], ToString(x));
    }
  }
  return size;
}

Types Infer(const Call& call) {
  if (Status status = CheckIndices(call, "begin"); !status) return status.error();
  const Type& x = call.type("x");
  const Shape size = call.Ints("size");
  const Shape list{static_cast<int64_t>(x.shape.size())};
  if (call.type("begin").shape != list || size.size() != x.shape.size()) {
    return call.Bad("'begin' {} and 'size' {} must have one entry for each axis of {}",
                    ToString(call.type("begin")), ShapeToString(size), ToString(x));
  }
  const bool known = call.Find("begin")->arrays.front() != nullptr;
  if (!known && std::ranges::find(size, -1) != size.end()) {
    return call.Bad("'size' {} needs a constant 'begin'", ShapeToString(size));
  }
  // A begin that moves leaves the size as it is, if there is any place for it.
  const Result<Shape> shape =
      ReadSize(call, known ? call.Ints("begin") : std::vector<int64_t>(size.size(), 0));
  if (!shape) return shape.error();
  return std::vector<Type>{{x.dtype, *shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Array& x = call.array("x");
  const Strides strides = RowMajorStrides(x.type.shape);
  const std::vector<int64_t> begin = call.Ints("begin");
  if (const Result<Shape> shape = ReadSize(call, begin); !shape) return shape.error();
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
  begin   list, one entry an axis, not negative; it may be known only when the program runs, when a slice
          that is not inside of x is an error
  size    constant list, one entry an axis; -1 means up to the end
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "begin"},
               {.name = "size", .constant = true, .kind = ParamKind::kInts}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
