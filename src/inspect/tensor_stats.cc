#include "inspect/tensor_stats.h"

#include <algorithm>
#include <cmath>

namespace millwright::inspect {

double SmallestNormal(DType dtype) {
  switch (dtype) {
    case DType::kFp16:
      return 0x1p-14;
    case DType::kBf16:
    case DType::kFp32:
      return 0x1p-126;
    case DType::kFp64:
      return 0x1p-1022;
    default:
      return 0;
  }
}

TensorStats StatsOf(std::span<const double> elements, DType dtype) {
  const double smallest = SmallestNormal(dtype);
  TensorStats stats{.elements = static_cast<int64_t>(elements.size())};
  int64_t finite = 0;
  double sum = 0, squares = 0;
  for (const double value : elements) {
    if (std::isnan(value)) {
      ++stats.nans;
    } else if (std::isinf(value)) {
      ++stats.infinities;
    } else {
      stats.min = finite == 0 ? value : std::min(stats.min, value);
      stats.max = finite == 0 ? value : std::max(stats.max, value);
      ++finite;
      sum += value;
      squares += value * value;
      stats.zeros += value == 0;
      stats.subnormals += value != 0 && std::fabs(value) < smallest;
    }
  }
  stats.absmax = std::max(std::fabs(stats.min), std::fabs(stats.max));
  stats.norm = std::sqrt(squares);
  if (finite > 0) stats.mean = sum / static_cast<double>(finite);
  return stats;
}

}  // namespace millwright::inspect
