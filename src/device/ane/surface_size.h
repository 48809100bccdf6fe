// How large surfaces must be (facts B8 and B9).
#pragma once

#include <algorithm>
#include <cstddef>

namespace millwright::device::ane {

// All sizes are multiples of this, which is the rule of the one product that ships on every chip
// (oMLX), and the smallest size too.
inline constexpr size_t kSurfaceGranule = 65536;

// What to allocate for `bytes`. All inputs of a program get the largest of theirs, and so do all
// outputs.
inline size_t SurfaceBytes(size_t bytes) {
  return std::max<size_t>(1, (bytes + kSurfaceGranule - 1) / kSurfaceGranule) * kSurfaceGranule;
}

}  // namespace millwright::device::ane
