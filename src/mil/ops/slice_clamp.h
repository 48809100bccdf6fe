// What some chips do to a slice of the last axis that does not begin at 0 (AneRule::kSliceClamp).
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/numerics.h"

namespace millwright::mil {

// The largest magnitude that such a slice leaves alone. Source: sbryngelson/ANEForge, issue 137.
inline constexpr double kSliceClampLimit = 4094.0;

// `begin`: where the slice starts on the last axis.
inline void ClampSlice(const Numerics& numerics, int64_t begin, std::vector<double>* elements) {
  if (begin == 0 || !numerics.Follows(AneRule::kSliceClamp)) return;
  for (double& x : *elements) {
    if (std::fabs(x) > kSliceClampLimit) {
      x = std::copysign(std::numeric_limits<double>::infinity(), x);
    }
  }
}

}  // namespace millwright::mil
