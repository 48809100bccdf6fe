#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  Type result = call.type("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), result.shape.size());
  if (!axis) return axis.error();
  const int64_t size = call.Int("size", 0);
  const int64_t stride = call.Int("stride", 1);
  int64_t& length = result.shape[static_cast<size_t>(*axis)];
  if (size < 1 || size > length || stride < 1) {
    return call.Bad("no windows of {} elements, {} apart, on axis {} of {}", size, stride, *axis,
                    ToString(call.type("x")));
  }
  length = (length - size) / stride + 1;
  result.shape.insert(result.shape.begin() + *axis + 1, size);
  if (Status status = CheckNewShape(call, result.shape); !status) return status.error();
  return std::vector<Type>{result};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& x = call.array("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), x.type.shape.size());
  if (!axis) return axis.error();
  Strides strides = RowMajorStrides(x.type.shape);
  const auto at = strides.begin() + *axis;
  const int64_t step = *at;
  *at = step * call.Int("stride", 1);
  strides.insert(at + 1, step);
  return std::vector<Array>{{results[0], Gathered(x.data.data(), results[0].shape, strides)}};
}

}  // namespace

const OpDef k_sliding_windows = {
    .name = "sliding_windows",
    .doc = R"(
All windows of `size` neighbours along an axis: the axis becomes the windows, behind it comes a new one of
length size.
  x       any tensor of rank 1 or more
  axis    constant int
  size    constant int, from 1 to the length of the axis
  stride  constant int, default 1: the distance of two windows
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "axis", .constant = true, .kind = ParamKind::kInt},
               {.name = "size", .constant = true, .kind = ParamKind::kInt},
               {.name = "stride", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
