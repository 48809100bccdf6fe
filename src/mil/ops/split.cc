#include "mil/ops/rules.h"
#include "mil/ops/slice_clamp.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Result<std::vector<int64_t>> ReadSizes(const Call& call, int64_t length) {
  const int64_t parts = call.Int("num_splits", 0);
  std::vector<int64_t> sizes = call.Ints("split_sizes");
  if (!call.Has("split_sizes")) {
    if (parts < 1 || length % parts != 0) {
      return call.Bad("{} elements do not split into {} equal parts", length, parts);
    }
    return std::vector<int64_t>(static_cast<size_t>(parts), length / parts);
  }
  if (call.Has("num_splits") && parts != static_cast<int64_t>(sizes.size())) {
    return call.Bad("'num_splits' is {}, but 'split_sizes' has {} entries", parts, sizes.size());
  }
  int64_t total = 0;
  for (int64_t size : sizes) {
    if (size < 1) return call.Bad("'split_sizes' {} must be positive", ShapeToString(sizes));
    total += size;
  }
  if (total != length) {
    return call.Bad("'split_sizes' {} must sum to {}", ShapeToString(sizes), length);
  }
  return sizes;
}

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), x.shape.size());
  if (!axis) return axis.error();
  const Result<std::vector<int64_t>> sizes = ReadSizes(call, x.shape[static_cast<size_t>(*axis)]);
  if (!sizes) return sizes.error();
  std::vector<Type> types;
  for (int64_t size : *sizes) {
    types.push_back(x);
    types.back().shape[static_cast<size_t>(*axis)] = size;
  }
  return types;
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Array& x = call.array("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), x.type.shape.size());
  if (!axis) return axis.error();
  const Strides strides = RowMajorStrides(x.type.shape);
  const auto along = static_cast<size_t>(*axis);
  const double* part = x.data.data();
  std::vector<Array> arrays;
  for (const Type& type : results) {
    arrays.push_back({type, Gathered(part, type.shape, strides)});
    if (along + 1 == strides.size())
      ClampSlice(numerics, part - x.data.data(), &arrays.back().data);
    part += type.shape[along] * strides[along];
  }
  return arrays;
}

}  // namespace

const OpDef k_split = {
    .name = "split",
    .doc = R"(
x cut into parts along an axis, one result a part.
  x            any tensor
  num_splits   constant int: that many equal parts
  split_sizes  constant list: the length of each part; one of the two must be given, and they must
               agree where both are
  axis         constant int
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params =
        {{.name = "x"},
         {.name = "num_splits", .required = false, .constant = true, .kind = ParamKind::kInt},
         {.name = "split_sizes", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "axis", .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
