// The scalar twin of embedding.h, for T = float, double or std::complex<double>.
#pragma once

#include <cstdint>
#include <span>

namespace millwright::math::scalar {

template <class T>
void EmbedForward(int64_t dim, std::span<const int32_t> rows, const T* table, T* x) {
  const auto seq = static_cast<int64_t>(rows.size());
  for (int64_t d = 0; d < dim; ++d) {
    for (int64_t t = 0; t < seq; ++t) x[d * seq + t] = table[rows[t] * dim + d];
  }
}

template <class T>
void EmbedBackward(int64_t dim, std::span<const int32_t> rows, const T* dx, T* dtable) {
  const auto seq = static_cast<int64_t>(rows.size());
  for (int64_t t = 0; t < seq; ++t) {
    for (int64_t d = 0; d < dim; ++d) dtable[rows[t] * dim + d] += dx[d * seq + t];
  }
}

}  // namespace millwright::math::scalar
