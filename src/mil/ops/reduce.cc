#include "mil/ops/reduce.h"

#include <algorithm>

#include "mil/ops/walk.h"

namespace millwright::mil {

Types InferReduce(const Call& call) {
  const Status status = CheckDType(call, "x", {DType::kFp16, DType::kFp32, DType::kInt32});
  if (!status) return status.error();
  const Type& x = call.type("x");
  Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", x.shape.size());
  if (!axes) return axes.error();
  const bool keep_dims = call.Bool("keep_dims", false);
  Shape shape;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    const bool reduced = std::ranges::binary_search(*axes, static_cast<int64_t>(axis));
    if (!reduced) shape.push_back(x.shape[axis]);
    if (reduced && keep_dims) shape.push_back(1);
  }
  return std::vector<Type>{{x.dtype, shape}};
}

Arrays ReduceAxes(const Call& call, const Type& result, const Numerics& numerics, Reducer reducer) {
  const Array& x = call.array("x");
  Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", x.type.shape.size());
  if (!axes) return axes.error();
  // Brings the reduced axes to the end, so that what belongs together is adjacent.
  const Strides dense = RowMajorStrides(x.type.shape);
  Shape shape;
  Strides strides;
  size_t count = 1;
  for (const bool reduced : {false, true}) {
    for (size_t axis = 0; axis < dense.size(); ++axis) {
      if (std::ranges::binary_search(*axes, static_cast<int64_t>(axis)) != reduced) continue;
      shape.push_back(x.type.shape[axis]);
      strides.push_back(dense[axis]);
      if (reduced) count *= static_cast<size_t>(x.type.shape[axis]);
    }
  }
  const std::vector<double> values = Gathered(x.data.data(), shape, strides);
  Array reduced = NewArray(result);
  for (size_t i = 0; i < reduced.data.size(); ++i) {
    reduced.data[i] = reducer(values.data() + i * count, count, numerics);
  }
  return std::vector<Array>{std::move(reduced)};
}

}  // namespace millwright::mil
