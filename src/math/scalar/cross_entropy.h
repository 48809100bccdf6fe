// The scalar twin of cross_entropy.h, for T = float, double or std::complex<double>.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "math/scalar/real.h"

namespace millwright::math::scalar {

// The loss as a T: with complex logits its imaginary part carries the derivative. With `gradient`
// the logits are overwritten by (softmax - onehot) * scale / seq.
template <class T>
T CrossEntropyOfColumn(int64_t vocab, int64_t seq, int64_t position, int64_t target,
                       double last_row_bias, bool gradient, double scale, T* logits) {
  using std::exp;
  using std::log;
  const auto at = [&](int64_t v) -> T {
    const T logit = logits[v * seq + position];
    return v + 1 == vocab ? logit + Constant<T>(last_row_bias) : logit;
  };
  T maximum = at(0);
  for (int64_t v = 1; v < vocab; ++v) {
    if (RealPart(at(v)) > RealPart(maximum)) maximum = at(v);
  }
  T sum(0);
  for (int64_t v = 0; v < vocab; ++v) sum += exp(at(v) - maximum);
  const T loss = log(sum) + maximum - at(target);
  if (gradient) {
    const T factor = Constant<T>(scale / static_cast<double>(seq));
    for (int64_t v = 0; v < vocab; ++v) {
      const T probability = exp(at(v) - maximum) / sum;
      logits[v * seq + position] = (v == target ? probability - T(1) : probability) * factor;
    }
  }
  return loss;
}

template <class T>
T CrossEntropy(int64_t vocab, int64_t seq, std::span<const int32_t> targets, double last_row_bias,
               double scale, T* logits) {
  T sum(0);
  for (int64_t s = 0; s < seq; ++s) {
    sum += CrossEntropyOfColumn(vocab, seq, s, targets[s], last_row_bias, true, scale, logits);
  }
  return sum / Constant<T>(static_cast<double>(seq));
}

template <class T>
void CrossEntropyLosses(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const T* logits, T* losses) {
  for (int64_t s = 0; s < seq; ++s) {
    losses[s] = CrossEntropyOfColumn(vocab, seq, s, targets[s], last_row_bias, false, 0.0,
                                     const_cast<T*>(logits));
  }
}

template <class T>
T CrossEntropyLoss(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                   double last_row_bias, const T* logits) {
  T sum(0);
  for (int64_t s = 0; s < seq; ++s) {
    sum += CrossEntropyOfColumn(vocab, seq, s, targets[s], last_row_bias, false, 0.0,
                                const_cast<T*>(logits));
  }
  return sum / Constant<T>(static_cast<double>(seq));
}

}  // namespace millwright::math::scalar
