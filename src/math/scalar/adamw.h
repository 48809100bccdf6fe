// The scalar twin of adamw.h, for T = float, double or std::complex<double>.
#pragma once

#include <cmath>
#include <cstdint>

#include "math/adamw.h"
#include "math/scalar/real.h"

namespace millwright::math::scalar {

template <class T>
void AdamWUpdate(const AdamW& options, int64_t count, T* w, T* g, T* m, T* v) {
  using std::sqrt;
  const double step = static_cast<double>(options.step);
  const T correction1 = Constant<T>(1.0 - std::pow(options.beta1, step));
  const T correction2 = Constant<T>(1.0 - std::pow(options.beta2, step));
  const T beta1 = Constant<T>(options.beta1), beta2 = Constant<T>(options.beta2);
  for (int64_t i = 0; i < count; ++i) {
    const T gradient = g[i] * Constant<T>(options.grad_scale);
    m[i] = beta1 * m[i] + Constant<T>(1.0 - options.beta1) * gradient;
    v[i] = beta2 * v[i] + Constant<T>(1.0 - options.beta2) * gradient * gradient;
    const T update = (m[i] / correction1) / (sqrt(v[i] / correction2) + Constant<T>(options.eps)) +
                     Constant<T>(options.weight_decay) * w[i];
    w[i] -= Constant<T>(options.lr) * update;
    g[i] = T(0);
  }
}

}  // namespace millwright::math::scalar
