// The scalar twin of swiglu.h, for T = float, double or std::complex<double>.
#pragma once

#include <cmath>
#include <cstdint>

namespace millwright::math::scalar {

template <class T>
T Sigmoid(T x) {
  using std::exp;
  return T(1) / (T(1) + exp(-x));
}

// gate = silu(h1) * h3, which the device computes; here for the gradient oracle.
template <class T>
void Swiglu(int64_t count, const T* h1, const T* h3, T* gate) {
  for (int64_t i = 0; i < count; ++i) gate[i] = h1[i] * Sigmoid(h1[i]) * h3[i];
}

template <class T>
void SwigluBackward(int64_t count, const T* dgate, const T* h1, const T* h3, T* dh1, T* dh3) {
  for (int64_t i = 0; i < count; ++i) {
    const T g = dgate[i], a = h1[i], b = h3[i], s = Sigmoid(a);
    dh1[i] = g * b * s * (T(1) + a * (T(1) - s));
    dh3[i] = g * a * s;
  }
}

}  // namespace millwright::math::scalar
