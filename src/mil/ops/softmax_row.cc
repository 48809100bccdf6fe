#include "mil/ops/softmax_row.h"

#include <algorithm>
#include <cmath>

#include "base/ane_tables.h"

namespace millwright::mil {

void SoftmaxRow(const Numerics& numerics, double* row, size_t count) {
  const bool tabled = numerics.Follows(AneRule::kTables);
  for (size_t i = 0; i < count; ++i) row[i] = numerics.Operand(row[i]);
  const double largest = *std::max_element(row, row + count);
  double sum = 0.0;
  for (size_t i = 0; i < count; ++i) {
    const double x = row[i] - largest;
    row[i] = tabled ? AneExp(numerics.Round(x, DType::kFp16)) : std::exp(x);
    sum += row[i];
  }
  for (size_t i = 0; i < count; ++i) row[i] /= sum;
}

}  // namespace millwright::mil
