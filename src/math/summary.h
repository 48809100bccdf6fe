// An array in a few numbers: whether its elements are in good health.
#pragma once

#include <cstdint>
#include <vector>

namespace millwright::math {

struct Summary {
  double squares = 0;      // sum of x[i]^2 in double, of the finite elements
  double largest = 0;      // max |x[i]| of them
  int64_t zeros = 0;       // elements that are 0 or -0
  int64_t not_finite = 0;  // elements that are NaN or infinite
};

// One pass over the array. The sum's order depends on `count` and nothing else.
Summary Summarize(int64_t count, const float* x);

// Elements in equal parts of [low, high]; the ends are those of the elements that were counted.
struct Bins {
  double low = 0, high = 0;
  std::vector<int64_t> counts;
};

// The finite elements among `sample` of them at even distances (all where there are no more), in
// `bins` parts. One part where all are equal, none where nothing is finite.
Bins CountInBins(int64_t count, const float* x, int64_t sample, int64_t bins);

}  // namespace millwright::math
