// Conversion between element types, for staging and files.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"

namespace millwright::math {

// IEEE round to nearest even; the rules of base/dtype.h, vectorised and parallel.
void ConvertToFp16(int64_t count, const float* from, Fp16* to);
void ConvertToFloat(int64_t count, const Fp16* from, float* to);
void ConvertToBf16(int64_t count, const float* from, Bf16* to);
void ConvertToFloat(int64_t count, const Bf16* from, float* to);

// A [rows, columns] block with row strides, between any two float dtypes; `transpose` writes the
// block's transpose.
void ConvertBlock(int64_t rows, int64_t columns, DType from_dtype, const void* from,
                  int64_t from_stride, DType to_dtype, void* to, int64_t to_stride,
                  bool transpose = false);

}  // namespace millwright::math
