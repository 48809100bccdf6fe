#include "mil/ops/softmax_row.h"

#include <algorithm>
#include <cmath>

namespace millwright::mil {

void SoftmaxRow(double* row, size_t count) {
  const double largest = *std::max_element(row, row + count);
  double sum = 0.0;
  for (size_t i = 0; i < count; ++i) {
    row[i] = std::exp(row[i] - largest);
    sum += row[i];
  }
  for (size_t i = 0; i < count; ++i) row[i] /= sum;
}

}  // namespace millwright::mil
