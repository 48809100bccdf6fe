// Products of matrices in 8 bits with a vector in whole numbers. What bounds such a product is the
// bytes of the matrix as long as few instructions are spent on each; widening them to fp32 takes
// more than memory does. So x is written in three digits of 8 bits, whose products with the matrix
// are sums of four that a CPU has an instruction for.
#pragma once

#include <array>
#include <cstdint>

#include "math/narrow.h"

namespace millwright::math {

// The most columns: the sum of a digit cannot overflow, even if one lane does all of it.
inline constexpr int64_t kMostDigitColumns = int64_t{1} << 17;

// x[j] = unit * (d0 + 256 d1 + 65536 d2), rounded to the nearest multiple of `unit`, a power of two
// that is at most 1.01 * 2^-22 times the largest magnitude of x.
struct DigitVector {
  float unit = 0;
  std::array<int8_t*, 3> digits = {};  // each as long as x
  // What the sums of a digit begin with: -128 times what each lane adds up, since the matrix is
  // multiplied as unsigned bytes, 128 too large.
  alignas(64) std::array<std::array<int32_t, 16>, 3> starts = {};
};

// Writes x, of `count` elements, a multiple of 64 and at most kMostDigitColumns, to `to`. False if
// it cannot be written so: with a NaN, an infinity or 2^127 and more; and if no magnitude exceeds
// 2^-100.
bool ToDigits(int64_t count, const float* x, DigitVector& to);

// y[i] = the product of row i of w, of int8, and x, for rows [begin, end); on the calling thread.
// The sums of each digit are exact; the three of a lane, and the lanes, are added in fp32.
void MultiplyDigits(const NarrowMatrix& w, const DigitVector& x, int64_t begin, int64_t end,
                    float* y);

}  // namespace millwright::math
