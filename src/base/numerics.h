// How numbers are rounded and summed: exactly, as IEEE devices do, or as Apple's Neural Engine
// does.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/dtype.h"

namespace millwright {

enum class Precision {
  kExact,  // double throughout, nothing rounded: for gradient checks
  kFp32,   // floats held in fp32 whatever their declared dtype
  kFp16,   // each result rounded to its declared dtype; products accumulated in fp32 or wider
  kInt8,   // as kFp32; a device that has it makes products with weights in 8 bits
  kAne,    // the ANE's arithmetic: facts E1, E5, E12, E14
};

std::string_view PrecisionName(Precision precision);

// Rounding and summation of one precision. Stateless; pass by const reference.
class Numerics {
 public:
  explicit Numerics(Precision precision) : precision_(precision) {}
  Precision precision() const { return precision_; }

  // `value` as an element of `dtype` after an operation. kExact leaves floats alone; kFp32 and
  // kInt8 round floats to fp32; kFp16 to `dtype`; kAne to `dtype` half away from zero, -0 becoming
  // +0 (E14). Integers and bools are clamped to their range.
  double Round(double value, DType dtype) const;

  // sum_k a[k*stride_a] * b[k*stride_b], in order of k. kAne: every product is truncated into
  // Q15.16 fixed point (products whose operand exponents sum to -17 or less vanish), and a partial
  // sum of magnitude >= 32768 sticks at infinity (E1); so does a result that rounds to 32768 in
  // fp16 (E2).
  double Dot(const double* a, ptrdiff_t stride_a, const double* b, ptrdiff_t stride_b,
             size_t count) const;

  // sum_k a[k*stride]: as Dot, but on kAne a narrow fp16 accumulator, each partial sum rounded
  // (E5).
  double Sum(const double* a, ptrdiff_t stride, size_t count) const;

 private:
  Precision precision_;
};

}  // namespace millwright
