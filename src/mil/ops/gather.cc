#include <algorithm>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

struct Plan {
  size_t axis = 0;
  size_t batch_dims = 0;
};

Result<Plan> ReadPlan(const Call& call) {
  const Shape& x = call.type("x").shape;
  const Shape& indices = call.type("indices").shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), x.size());
  if (!axis) return axis.error();
  const int64_t batch_dims = call.Int("batch_dims", 0);
  if (batch_dims < 0 || batch_dims > *axis || batch_dims > static_cast<int64_t>(indices.size()) ||
      !std::equal(x.begin(), x.begin() + batch_dims, indices.begin())) {
    return call.Bad(
        "the first {} axes of 'x' {} and 'indices' {} must agree and come before axis {}",
        batch_dims, ShapeToString(x), ShapeToString(indices), *axis);
  }
  return Plan{static_cast<size_t>(*axis), static_cast<size_t>(batch_dims)};
}

Types Infer(const Call& call) {
  if (Status status = CheckIndices(call, "indices"); !status) return status.error();
  const Result<Plan> plan = ReadPlan(call);
  if (!plan) return plan.error();
  const Type& x = call.type("x");
  const Shape& indices = call.type("indices").shape;
  const auto axis = x.shape.begin() + static_cast<ptrdiff_t>(plan->axis);
  Shape shape(x.shape.begin(), axis);
  shape.insert(shape.end(), indices.begin() + static_cast<ptrdiff_t>(plan->batch_dims),
               indices.end());
  shape.insert(shape.end(), axis + 1, x.shape.end());
  return std::vector<Type>{{x.dtype, shape}};
}

int64_t Extent(const Shape& shape, size_t begin, size_t end) {
  int64_t extent = 1;
  for (size_t axis = begin; axis < end; ++axis) extent *= shape[axis];
  return extent;
}

// x is [batch, outer, axis, inner], indices [batch, count], the result [batch, outer, count,
// inner].
Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Result<Plan> plan = ReadPlan(call);
  if (!plan) return plan.error();
  const Array& x = call.array("x");
  const Array& indices = call.array("indices");
  const Shape& shape = x.type.shape;
  const int64_t batch = Extent(shape, 0, plan->batch_dims);
  const int64_t outer = Extent(shape, plan->batch_dims, plan->axis);
  const int64_t length = shape[plan->axis];
  const int64_t inner = Extent(shape, plan->axis + 1, shape.size());
  const int64_t count = indices.type.elements() / batch;
  Array result = NewArray(results[0]);
  auto out = result.data.begin();
  for (int64_t i = 0; i < batch * outer; ++i) {
    for (int64_t j = 0; j < count; ++j) {
      const double value = indices.data[static_cast<size_t>(i / outer * count + j)];
      const auto index = static_cast<int64_t>(value);
      if (index < -length || index >= length) {
        return call.Bad("index {} is outside of axis {} of {}", index, plan->axis,
                        ToString(x.type));
      }
      const int64_t from = i * length + (index < 0 ? index + length : index);
      out = std::copy_n(x.data.begin() + from * inner, inner, out);
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_gather = {
    .name = "gather",
    .doc = R"(
The slices of x at `indices` along an axis: result shape x[:axis] + indices[batch_dims:] + x[axis+1:].
  x                 any tensor
  indices           int32 (ios17: also int16, uint16, int8, uint8); negative ones count from the back,
                    others outside of the axis are an error when the program runs
  axis              constant int, default 0
  batch_dims        constant int, default 0: that many first axes of x and indices go together (ios16)
  validate_indices  constant bool, accepted; indices are always checked here (ios17)
Opset ios15. Source: coremltools, MIL ops, iOS15, iOS16 and iOS17 scatter_gather.)",
    .params = {{.name = "x"},
               {.name = "indices"},
               {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt},
               {.name = "batch_dims", .required = false, .constant = true, .kind = ParamKind::kInt},
               {.name = "validate_indices",
                .required = false,
                .constant = true,
                .kind = ParamKind::kBool}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
