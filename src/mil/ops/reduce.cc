#include "mil/ops/reduce.h"

#include <algorithm>
#include <cmath>

#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Shape WithoutAxes(const Shape& shape, const std::vector<int64_t>& axes, bool keep_dims) {
  Shape reduced;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const bool named = std::ranges::binary_search(axes, static_cast<int64_t>(axis));
    if (!named) reduced.push_back(shape[axis]);
    if (named && keep_dims) reduced.push_back(1);
  }
  return reduced;
}

}  // namespace

std::vector<Param> ReduceParams() {
  return {{.name = "x"},
          {.name = "axes", .required = false, .constant = true, .kind = ParamKind::kInts},
          {.name = "keep_dims", .required = false, .constant = true, .kind = ParamKind::kBool}};
}

std::vector<Param> ReduceArgParams() {
  return {{.name = "x"},
          {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt},
          {.name = "keep_dims", .required = false, .constant = true, .kind = ParamKind::kBool},
          {.name = "output_dtype", .required = false, .constant = true, .kind = ParamKind::kText}};
}

Types InferReduce(const Call& call) {
  const Status status = CheckDType(call, "x", {DType::kFp16, DType::kFp32, DType::kInt32});
  if (!status) return status.error();
  const Type& x = call.type("x");
  Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", x.shape.size());
  if (!axes) return axes.error();
  return std::vector<Type>{{x.dtype, WithoutAxes(x.shape, *axes, call.Bool("keep_dims", false))}};
}

Arrays ReduceAxes(const Call& call, const Type& result, const Numerics& numerics, Reducer reducer) {
  const Array& x = call.array("x");
  Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", x.type.shape.size());
  if (!axes) return axes.error();
  const AxesLast order = MoveToEnd(x.type.shape, *axes);
  const std::vector<double> values = Gathered(x.data.data(), order.shape, order.strides);
  Array reduced = NewArray(result);
  for (size_t i = 0; i < reduced.data.size(); ++i) {
    reduced.data[i] = reducer(values.data() + i * order.count, order.count, numerics);
  }
  if (!IsFloat(result.dtype)) {
    for (double& value : reduced.data) value = std::trunc(value);
  }
  return std::vector<Array>{std::move(reduced)};
}

Types InferReduceArg(const Call& call) {
  const Status status = CheckDType(call, "x", {DType::kFp16, DType::kFp32, DType::kInt32});
  if (!status) return status.error();
  const Shape& shape = call.type("x").shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", -1), shape.size());
  if (!axis) return axis.error();
  const Result<DType> dtype = ReadIndexDType(call, "output_dtype");
  if (!dtype) return dtype.error();
  return std::vector<Type>{{*dtype, WithoutAxes(shape, {*axis}, call.Bool("keep_dims", false))}};
}

Arrays ReduceArg(const Call& call, const Type& result, Better better) {
  const Array& x = call.array("x");
  const Shape& shape = x.type.shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", -1), shape.size());
  if (!axis) return axis.error();
  const AxisSplit split = SplitAt(shape, static_cast<size_t>(*axis));
  Array reduced = NewArray(result);
  for (size_t i = 0; i < reduced.data.size(); ++i) {
    const double* first = x.data.data() + split.First(static_cast<int64_t>(i));
    int64_t best = 0;
    for (int64_t j = 1; j < split.length; ++j) {
      if (better(first[j * split.inner], first[best * split.inner])) best = j;
    }
    reduced.data[i] = static_cast<double>(best);
  }
  return std::vector<Array>{std::move(reduced)};
}

}  // namespace millwright::mil
