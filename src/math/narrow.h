// Matrices kept in fewer bits for products with a vector, whose cost is the bytes that are read: as
// bf16, or as int8 with a scale of absmax / 127 for each row. x and the sums stay fp32, or, for
// int8 where HasInt8Dot(), become whole numbers of 24 bits (math/digits.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"

namespace millwright::math {

// A matrix [rows, columns] in memory: rows of elements, each padded with zeros to whole cache
// lines, then, for int8, the scales.
struct NarrowMatrix {
  DType dtype = DType::kBf16;  // kBf16 or kInt8
  int64_t rows = 0, columns = 0;
  std::byte* memory = nullptr;  // of NarrowBytes(), 64-byte aligned

  int64_t stride() const;  // elements from row to row
  float* scales() const;   // int8: of each row
};

// A multiple of 64.
size_t NarrowBytes(DType dtype, int64_t rows, int64_t columns);

// Rounds `w`, row-major with a row stride, to `to`: to nearest even; int8 as math/int8.h does, NaN
// and infinities included.
void Narrow(const float* w, int64_t stride, const NarrowMatrix& to);

// y = W x; x and y are dense. Threads take parts of the rows as they are free; an element is summed
// in an order that depends on `columns` and the vector length only.
void NarrowGemv(const NarrowMatrix& w, const float* x, float* y);

// The scalar twin of NarrowGemv.
void ScalarNarrowGemv(const NarrowMatrix& w, const float* x, double* y);

}  // namespace millwright::math
