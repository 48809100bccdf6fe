// The softmax of one row, shared by softmax and attention.
#pragma once

#include <cstddef>

#include "base/numerics.h"

namespace millwright::mil {

// row[i] = e^(row[i] - max) / sum of e^(row[j] - max), in double. A row of -inf only gives NaN.
// With AneRule::kTables the difference is rounded to fp16 and the exponential is the ANE's; how the
// ANE divides is not known and is exact here.
void SoftmaxRow(const Numerics& numerics, double* row, size_t count);

}  // namespace millwright::mil
