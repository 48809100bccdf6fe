#include "mil/ops/normalize_row.h"

#include <cmath>

namespace millwright::mil {

void NormalizeRow(double* row, size_t count, double epsilon) {
  const auto size = static_cast<double>(count);
  double mean = 0.0;
  for (size_t i = 0; i < count; ++i) mean += row[i] / size;
  double variance = 0.0;
  for (size_t i = 0; i < count; ++i) variance += (row[i] - mean) * (row[i] - mean) / size;
  const double scale = 1.0 / std::sqrt(variance + epsilon);
  for (size_t i = 0; i < count; ++i) row[i] = (row[i] - mean) * scale;
}

}  // namespace millwright::mil
