// The softmax of one row, shared by softmax and attention.
#pragma once

#include <cstddef>

namespace millwright::mil {

// row[i] = e^(row[i] - max) / sum of e^(row[j] - max), in double. A row of -inf only gives NaN.
void SoftmaxRow(double* row, size_t count);

}  // namespace millwright::mil
