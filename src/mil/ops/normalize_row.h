// The normalization that layer_norm and instance_norm share.
#pragma once

#include <cstddef>

namespace millwright::mil {

// (x - mean) / sqrt(variance + epsilon) in place; the variance is divided by `count`.
void NormalizeRow(double* row, size_t count, double epsilon);

}  // namespace millwright::mil
