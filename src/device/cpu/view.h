// Where a value lies: a strided window into a buffer of floats.
//
// A logical axis may be made of several dimensions ("[256, 64] read as [8192, 2]" needs strides 1
// and 512 on its first axis); this keeps almost every reshape of a transposed tensor free of
// copies.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/shape.h"

namespace millwright::device::cpu {

struct Dim {
  int64_t size = 1;
  int64_t stride = 0;  // in elements; 0 repeats
  bool operator==(const Dim&) const = default;
};

// One logical axis, outermost dimension first; empty for an axis of size 1.
using Axis = std::vector<Dim>;

struct View {
  int buffer = -1;
  int64_t offset = 0;
  std::vector<Axis> axes;

  bool operator==(const View&) const = default;
  Shape shape() const;
  int64_t elements() const;
};

int64_t AxisSize(const Axis& axis);

// Row-major over the whole buffer.
View DenseView(int buffer, const Shape& shape);

// The view-producing operations; nothing where strides cannot express the result.
View TransposeView(const View& view, std::span<const int64_t> perm);
std::optional<View> ReshapeView(const View& view, const Shape& shape);
// `size` elements of every axis, from `begin` in steps of `step` >= 1.
std::optional<View> SliceView(const View& view, const Shape& begin, const Shape& size,
                              const Shape& step);
// Stretches axes of size 1, after aligning ranks at the last axis. `shape` must be a valid result.
View BroadcastView(const View& view, const Shape& shape);

// The permutation that undoes `perm`.
std::vector<int64_t> InversePermutation(std::span<const int64_t> perm);

// A dense layout in which the dimensions lie in the same order as in `view` (broadcast dimensions
// innermost last): buffer -1, offset 0.
View CompactLike(const View& view);

// The axis as one dimension, if it is one (size 1 gives {1, 0}).
std::optional<Dim> SingleDim(const Axis& axis);

// Element offsets reach from `offset` to `offset + Extent(view)`, inclusive.
int64_t Extent(const View& view);

// True if the elements fill a row-major block without gaps.
bool IsDense(const View& view);

// "b3+128 [12,(256:1 32:512),2:256]", for explanations and tests.
std::string ToString(const View& view);

}  // namespace millwright::device::cpu
