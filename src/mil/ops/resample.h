// Resizing the last two axes of a tensor.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "mil/ops/rules.h"

namespace millwright::mil {

// A result's element on one axis: (1 - weight) * x[low] + weight * x[high].
struct Sample {
  int64_t low = 0;
  int64_t high = 0;
  double weight = 0.0;
};

// What lies at place `at` of an axis of length `in`, clamped to it.
Sample SampleAt(double at, int64_t in);

// The lengths of the last two axes after scaling by `scale_factor_height` and `scale_factor_width`
// (floats or ints, default 1), rounded down.
Types InferUpsample(const Call& call);

// The same from `target_size_height` and `target_size_width`.
Types InferResize(const Call& call, int64_t default_size);

// place(i, in, out): where element i of an axis of length `out` lies on one of length `in`.
using Place = double (*)(int64_t i, int64_t in, int64_t out);

// Samples every element between its neighbours.
Arrays ResampleBilinear(const Call& call, const Type& result, Place place);

// Takes element floor(i in / out) on both axes.
Arrays ResampleNearest(const Call& call, const Type& result);

// The places of linear interpolation, by the name that they have in resize_bilinear.
double PlaceAlignCorners(int64_t i, int64_t in, int64_t out);
double PlaceDefault(int64_t i, int64_t in, int64_t out);
double PlaceUnalignCorners(int64_t i, int64_t in, int64_t out);

}  // namespace millwright::mil
