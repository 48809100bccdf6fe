// The scalar twin of qk_norm.h, for T = float, double or std::complex<double>.
#pragma once

#include <cmath>
#include <cstdint>

#include "math/scalar/real.h"

namespace millwright::math::scalar {

// The forward step, which the device computes; here for the gradient oracle. y may be x.
template <class T>
void QkNorm(int64_t heads, int64_t head_dim, int64_t seq, double eps, const T* x, const T* w,
            T* y) {
  using std::sqrt;
  for (int64_t h = 0; h < heads; ++h) {
    const int64_t base = h * head_dim * seq;
    for (int64_t s = 0; s < seq; ++s) {
      T sum(0);
      for (int64_t c = 0; c < head_dim; ++c) {
        sum += x[base + c * seq + s] * x[base + c * seq + s];
      }
      const T mean = sum / Constant<T>(static_cast<double>(head_dim));
      const T r = T(1) / sqrt(mean + Constant<T>(eps));
      for (int64_t c = 0; c < head_dim; ++c) {
        y[base + c * seq + s] = x[base + c * seq + s] * r * w[c];
      }
    }
  }
}

template <class T>
void QkNormBackward(int64_t heads, int64_t head_dim, int64_t seq, double eps, const T* dy,
                    const T* x, const T* w, T* dx, T* dw) {
  using std::sqrt;
  const T channels = Constant<T>(static_cast<double>(head_dim));
  for (int64_t h = 0; h < heads; ++h) {
    const int64_t base = h * head_dim * seq;
    for (int64_t s = 0; s < seq; ++s) {
      T sum(0), dot(0);
      for (int64_t c = 0; c < head_dim; ++c) {
        const int64_t i = base + c * seq + s;
        sum += x[i] * x[i];
        dot += w[c] * dy[i] * x[i];
      }
      const T r = T(1) / sqrt(sum / channels + Constant<T>(eps));
      const T pull = dot * r * r / channels;
      for (int64_t c = 0; c < head_dim; ++c) {
        const int64_t i = base + c * seq + s;
        const T gradient = r * (w[c] * dy[i] - x[i] * pull);
        if (dw != nullptr) dw[c] += dy[i] * x[i] * r;
        dx[i] = gradient;
      }
    }
  }
}

}  // namespace millwright::math::scalar
