// The scalar twin of rope.h, for T = float, double or std::complex<double>.
#pragma once

#include <cstdint>

#include "math/rope.h"
#include "math/scalar/real.h"

namespace millwright::math::scalar {

template <class T>
void Rope(const RopeTables& tables, int64_t heads, bool half_split, bool inverse, T* x) {
  const int64_t half = tables.head_dim / 2;
  for (int64_t h = 0; h < heads; ++h) {
    T* head = x + h * tables.head_dim * tables.seq;
    for (int64_t i = 0; i < half; ++i) {
      T* first = head + (half_split ? i : 2 * i) * tables.seq;
      T* second = head + (half_split ? i + half : 2 * i + 1) * tables.seq;
      for (int64_t s = 0; s < tables.seq; ++s) {
        const T cos = Constant<T>(tables.cos[s * half + i]);
        const T sin = Constant<T>(inverse ? -tables.sin[s * half + i] : tables.sin[s * half + i]);
        const T a = first[s], b = second[s];
        first[s] = a * cos - b * sin;
        second[s] = a * sin + b * cos;
      }
    }
  }
}

}  // namespace millwright::math::scalar
