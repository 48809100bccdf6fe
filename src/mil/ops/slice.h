// The slices x[begin:end:stride] of slice_by_index and slice_update.
#pragma once

#include <cstdint>
#include <vector>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {

// What one call selects along one axis.
struct AxisSlice {
  int64_t first = 0;
  int64_t step = 1;
  int64_t count = 0;
  bool squeezed = false;
};

// Reads begin, end, stride and the masks, whose values must be known, for a tensor of `shape`. Bad
// input: an empty slice.
Result<std::vector<AxisSlice>> ReadAxisSlices(const Call& call, const Shape& shape);

// The lengths of the axes that are not dropped.
Shape SliceShape(const std::vector<AxisSlice>& slices);

// Where the selected elements lie in a dense tensor of `shape`.
struct SlicePlace {
  int64_t offset = 0;
  Strides strides;  // of the axes that are not dropped
};
SlicePlace PlaceSlice(const std::vector<AxisSlice>& slices, const Shape& shape);

}  // namespace millwright::mil
