// The scalar twin of adamw.h, for T = float, double or std::complex<double>.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/dtype.h"
#include "math/adamw.h"
#include "math/scalar/real.h"

namespace millwright::math::scalar {

// A moment as it is computed with, and as it is kept.
template <class T>
T LoadMoment(const T& kept) {
  return kept;
}
template <class T>
T LoadMoment(const Bf16& kept) {
  return static_cast<T>(ToFloat(kept));
}
template <class T>
void StoreMoment(const T& value, T& kept) {
  kept = value;
}
template <class T>
void StoreMoment(const T& value, Bf16& kept) {
  kept = ToBf16(static_cast<float>(value));
}

// Moment is T, or Bf16 for a real T.
template <class T, class Moment>
void AdamWUpdate(const AdamW& options, int64_t count, T* w, const T* g, Moment* m, Moment* v) {
  using std::sqrt;
  const double step = static_cast<double>(options.step);
  const T correction1 = Constant<T>(1.0 - std::pow(options.beta1, step));
  const T correction2 = Constant<T>(1.0 - std::pow(options.beta2, step));
  const T beta1 = Constant<T>(options.beta1), beta2 = Constant<T>(options.beta2);
  for (int64_t i = 0; i < count; ++i) {
    const T gradient = g[i] * Constant<T>(options.grad_scale);
    const T first = beta1 * LoadMoment<T>(m[i]) + Constant<T>(1.0 - options.beta1) * gradient;
    const T second =
        beta2 * LoadMoment<T>(v[i]) + Constant<T>(1.0 - options.beta2) * gradient * gradient;
    const T update =
        (first / correction1) / (sqrt(second / correction2) + Constant<T>(options.eps)) +
        Constant<T>(options.weight_decay) * w[i];
    w[i] -= Constant<T>(options.lr) * update;
    StoreMoment(first, m[i]);
    StoreMoment(second, v[i]);
  }
}

}  // namespace millwright::math::scalar
