// Walking over strided tensors: how evaluations read broadcast, sliced and transposed operands.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/shape.h"
#include "mil/ops/op.h"

namespace millwright::mil {

// Strides in elements, one an axis; 0 on an axis along which an operand is repeated.
using Strides = std::vector<int64_t>;

// Strides that read a dense tensor of `shape` as if it were broadcast to `out`.
Strides BroadcastStrides(const Shape& shape, const Shape& out);

// The number of elements along the last axis; 1 for a scalar.
inline int64_t RowLength(const Shape& shape) { return shape.empty() ? 1 : shape.back(); }

// The step along the last axis; 0 for a scalar.
inline int64_t RowStride(const Strides& strides) { return strides.empty() ? 0 : strides.back(); }

// Calls row(r, offsets) for every row (run along the last axis) of `shape`, in row-major order: r
// is the number of the row, offsets[n] where operand n's row begins.
template <size_t N, class Row>
void ForEachRow(const Shape& shape, const std::array<Strides, N>& strides, const Row& row) {
  const size_t axes = shape.empty() ? 0 : shape.size() - 1;
  int64_t rows = 1;
  for (size_t axis = 0; axis < axes; ++axis) rows *= shape[axis];
  std::vector<int64_t> index(axes, 0);
  std::array<int64_t, N> offsets{};
  for (int64_t r = 0; r < rows; ++r) {
    row(r, offsets);
    for (size_t axis = axes; axis-- > 0;) {
      const bool carry = ++index[axis] == shape[axis];
      const int64_t steps = carry ? 1 - shape[axis] : 1;
      for (size_t n = 0; n < N; ++n) offsets[n] += steps * strides[n][axis];
      if (!carry) break;
      index[axis] = 0;
    }
  }
}

// A dense tensor seen as [outer, length, inner], the middle being one axis: what operations along
// an axis walk. Its lines run along the axis, `inner` elements apart.
struct AxisSplit {
  int64_t outer = 1;
  int64_t length = 1;
  int64_t inner = 1;

  int64_t lines() const { return outer * inner; }
  // The offset of the first element of a line; lines are counted in row-major order.
  int64_t First(int64_t line) const { return line / inner * length * inner + line % inner; }
};
AxisSplit SplitAt(const Shape& shape, size_t axis);

// The dense tensor of `shape` whose element at an index is source[sum(index * strides)].
std::vector<double> Gathered(const double* source, const Shape& shape, const Strides& strides);

// The inverse: destination[sum(index * strides)] becomes the element of `values`, a dense tensor of
// `shape`, at that index.
void Ungather(const std::vector<double>& values, const Shape& shape, const Strides& strides,
              double* destination);

// A tensor of `shape` seen with some axes (ascending) moved to the end, so that what belongs
// together is adjacent: `count` elements each.
struct AxesLast {
  Shape shape;
  Strides strides;
  size_t count = 1;
};
AxesLast MoveToEnd(const Shape& shape, const std::vector<int64_t>& axes);

// An array of `type`, zeroed.
Array NewArray(const Type& type);

}  // namespace millwright::mil
