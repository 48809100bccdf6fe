// The pools: one number for each window and channel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mil/ops/window.h"

namespace millwright::mil {

// The arguments of a pool; that of the average has one more.
std::vector<Param> PoolParams(bool average);

// `x` [n, C, *D] with at most `most_axes` spatial axes; the result has windows in place of *D.
Types InferPoolOf(const Call& call, size_t most_axes);

template <size_t most_axes>
Types InferPool(const Call& call) {
  return InferPoolOf(call, most_axes);
}

// What is known of one window: its elements that are not padding, and how many of its places lie in
// the input or its padding (with ceil_mode a window may reach beyond both).
struct PoolWindow {
  std::vector<double> elements;
  int64_t places = 0;
};

using Pool = double (*)(const PoolWindow& window, bool exclude_padding);

// pool(window) for every window. `exclude_padding` is the argument exclude_padding_from_average.
Arrays EvaluatePoolWith(const Call& call, const Type& result, Pool pool);

template <Pool pool>
Arrays EvaluatePool(const Call& call, std::span<const Type> results, const Numerics&) {
  return EvaluatePoolWith(call, results[0], pool);
}

}  // namespace millwright::mil
