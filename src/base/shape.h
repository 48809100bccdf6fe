// Static shapes: a list of dimensions, row-major strides, and the rules for broadcasting them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millwright {

// Dimensions, outermost first. Rank 0 is a scalar of one element.
using Shape = std::vector<int64_t>;

// The number of elements.
int64_t NumElements(const Shape& shape);

// Strides in elements of a dense row-major tensor.
std::vector<int64_t> RowMajorStrides(const Shape& shape);

// "[1, 768, 1, 256]".
std::string ShapeToString(const Shape& shape);

// NumPy broadcasting: ranks are aligned at the last axis, a dimension of 1 stretches. Nothing if
// the shapes do not fit. Source: coremltools' MIL elementwise_binary ops.
std::optional<Shape> BroadcastShapes(const Shape& a, const Shape& b);

}  // namespace millwright
