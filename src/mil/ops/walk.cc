#include "mil/ops/walk.h"

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

Array NewArray(const Type& type) {
  return {type, std::vector<double>(static_cast<size_t>(type.elements()), 0.0)};
}

}  // namespace millwright::mil
