// The scalar twin of rmsnorm.h, for T = float, double or std::complex<double>.
#pragma once

#include <cmath>
#include <cstdint>

#include "math/scalar/real.h"

namespace millwright::math::scalar {

template <class T>
void RmsNorm(int64_t channels, int64_t seq, double eps, const T* x, const T* w, T* y, T* inv_rms) {
  using std::sqrt;
  for (int64_t s = 0; s < seq; ++s) {
    T sum(0);
    for (int64_t c = 0; c < channels; ++c) sum += x[c * seq + s] * x[c * seq + s];
    const T mean = sum / Constant<T>(static_cast<double>(channels));
    const T r = T(1) / sqrt(mean + Constant<T>(eps));
    for (int64_t c = 0; c < channels; ++c) y[c * seq + s] = x[c * seq + s] * r * w[c];
    inv_rms[s] = r;
  }
}

template <class T>
void RmsNormBackward(int64_t channels, int64_t seq, const T* dy, const T* x, const T* w,
                     const T* inv_rms, const T* skip, T* dx, T* dw) {
  for (int64_t s = 0; s < seq; ++s) {
    const T r = inv_rms[s];
    T dot(0);
    for (int64_t c = 0; c < channels; ++c) dot += w[c] * dy[c * seq + s] * x[c * seq + s];
    const T pull = dot * r * r / Constant<T>(static_cast<double>(channels));
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t i = c * seq + s;
      const T gradient = r * (w[c] * dy[i] - x[i] * pull);
      if (dw != nullptr) dw[c] += dy[i] * x[i] * r;
      dx[i] = skip != nullptr ? gradient + skip[i] : gradient;
    }
  }
}

template <class T>
void RmsNormWeightGradient(int64_t channels, int64_t seq, const T* dy, const T* x, const T* inv_rms,
                           T* dw) {
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t s = 0; s < seq; ++s) dw[c] += dy[c * seq + s] * x[c * seq + s] * inv_rms[s];
  }
}

}  // namespace millwright::math::scalar
