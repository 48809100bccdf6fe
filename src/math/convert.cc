#include "math/convert.h"

#include "base/threads.h"

namespace millwright::math {

void ConvertToFp16(int64_t count, const float* from, Fp16* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = ToFp16(from[i]);
}

void ConvertToFloat(int64_t count, const Fp16* from, float* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = ToFloat(from[i]);
}

void ConvertToBf16(int64_t count, const float* from, Bf16* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = ToBf16(from[i]);
}

void ConvertToFloat(int64_t count, const Bf16* from, float* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = ToFloat(from[i]);
}

void ConvertBlock(int64_t rows, int64_t columns, DType from_dtype, const void* from,
                  int64_t from_stride, DType to_dtype, void* to, int64_t to_stride,
                  bool transpose) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const double value = LoadElement(from_dtype, from, static_cast<size_t>(r * from_stride + c));
      const int64_t index = transpose ? c * to_stride + r : r * to_stride + c;
      StoreElement(to_dtype, to, static_cast<size_t>(index), value);
    }
  }
}

}  // namespace millwright::math
