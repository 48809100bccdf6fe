#include "mil/ops/walk.h"

#include <algorithm>

namespace millwright::mil {

Strides BroadcastStrides(const Shape& shape, const Shape& out) {
  const Strides dense = RowMajorStrides(shape);
  const size_t missing = out.size() - shape.size();
  Strides strides(out.size(), 0);
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    strides[missing + axis] = shape[axis] == 1 ? 0 : dense[axis];
  }
  return strides;
}

AxisSplit SplitAt(const Shape& shape, size_t axis) {
  AxisSplit split{.length = shape[axis]};
  for (size_t i = 0; i < axis; ++i) split.outer *= shape[i];
  for (size_t i = axis + 1; i < shape.size(); ++i) split.inner *= shape[i];
  return split;
}

std::vector<double> Gathered(const double* source, const Shape& shape, const Strides& strides) {
  std::vector<double> result(static_cast<size_t>(NumElements(shape)));
  if (result.empty()) return result;
  const int64_t length = RowLength(shape);
  const int64_t step = RowStride(strides);
  double* out = result.data();
  ForEachRow<1>(shape, {strides}, [&](int64_t, const std::array<int64_t, 1>& offsets) {
    const double* in = source + offsets[0];
    for (int64_t i = 0; i < length; ++i) *out++ = in[i * step];
  });
  return result;
}

void Ungather(const std::vector<double>& values, const Shape& shape, const Strides& strides,
              double* destination) {
  if (values.empty()) return;
  const int64_t length = RowLength(shape);
  const int64_t step = RowStride(strides);
  const double* in = values.data();
  ForEachRow<1>(shape, {strides}, [&](int64_t, const std::array<int64_t, 1>& offsets) {
    double* out = destination + offsets[0];
    for (int64_t i = 0; i < length; ++i) out[i * step] = *in++;
  });
}

AxesLast MoveToEnd(const Shape& shape, const std::vector<int64_t>& axes) {
  const Strides dense = RowMajorStrides(shape);
  AxesLast moved;
  for (const bool last : {false, true}) {
    for (size_t axis = 0; axis < dense.size(); ++axis) {
      if (std::ranges::binary_search(axes, static_cast<int64_t>(axis)) != last) continue;
      moved.shape.push_back(shape[axis]);
      moved.strides.push_back(dense[axis]);
      if (last) moved.count *= static_cast<size_t>(shape[axis]);
    }
  }
  return moved;
}

Array NewArray(const Type& type) {
  return {type, std::vector<double>(static_cast<size_t>(type.elements()), 0.0)};
}

}  // namespace millwright::mil
