// Matrix times vector at the speed of memory: products of which one dimension is 1, as generation
// makes one for every weight and token. Each weight is used once, so that all that counts is how
// fast it is read.
#pragma once

#include <cstdint>
#include <string>

#include "math/gemm.h"

namespace millwright::math {

// y = M x or y += M x. M is rows x columns with a row stride: as stored, or `transposed`, so that
// element (i, j) of M lies at m[j * stride + i]. x and y are dense.
struct GemvShape {
  int64_t rows = 0, columns = 0;
  int64_t stride = 0;
  bool transposed = false;
  bool accumulate = false;
};

// The same product as a matrix times a vector, where it is one and its vectors are dense.
// `matrix_is_a` says which operand is the matrix.
struct GemvForm {
  bool possible = false;
  bool matrix_is_a = true;
  GemvShape shape;
};
GemvForm AsGemv(const GemmShape& shape);

// On all threads: each takes a part of the rows. An element of y is summed in an order that
// depends on `shape` and the vector length only.
void Gemv(const GemvShape& shape, const float* m, const float* x, float* y);

// On the calling thread alone, for callers that have many small products to share out.
void GemvSerial(const GemvShape& shape, const float* m, const float* x, float* y);

// "gemv:" and the instruction set that the dispatcher picks.
std::string GemvName();

// The scalar twin: the definition.
template <class T>
void ScalarGemv(const GemvShape& shape, const T* m, const T* x, T* y) {
  for (int64_t i = 0; i < shape.rows; ++i) {
    T sum = shape.accumulate ? y[i] : T(0);
    for (int64_t j = 0; j < shape.columns; ++j) {
      sum += (shape.transposed ? m[j * shape.stride + i] : m[i * shape.stride + j]) * x[j];
    }
    y[i] = sum;
  }
}

}  // namespace millwright::math
