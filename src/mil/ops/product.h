// The product of matrices, on which matmul, linear, conv and attention are built.
#pragma once

#include <cstdint>

#include "base/numerics.h"

namespace millwright::mil {

// c[m, n] = sum over k of a[m, k] * b[k, n]; all dense and row-major, c is overwritten. Every sum
// is Numerics::Dot's, in ascending order of k, whatever the number of threads.
void Product(const Numerics& numerics, const double* a, const double* b, double* c, int64_t m,
             int64_t n, int64_t k);

}  // namespace millwright::mil
