#include "math/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/threads.h"
#include "math/scalar/cross_entropy.h"
#include "math/simd.h"
#include "math/vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/cross_entropy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "hwy/contrib/math/math-inl.h"  // after foreach_target.h

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using One = hn::CappedTag<float, 1>;

// e^x for x <= 0, and NaN for NaN, which Exp alone turns into 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpOrNaN(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, x));
}

template <class D>
HWY_INLINE void Raise(D d, const float* x, float offset, float* maximum) {
  const auto value = hn::Add(hn::LoadU(d, x), hn::Set(d, offset));
  hn::StoreU(hn::Max(value, hn::LoadU(d, maximum)), d, maximum);
}

// maximum[s] = max(maximum[s], x[s] + offset).
void RaiseMaximum(int64_t count, const float* x, float offset, float* maximum) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t s = 0;
  for (; s + lanes <= count; s += lanes) Raise(D(), x + s, offset, maximum + s);
  for (; s < count; ++s) Raise(One(), x + s, offset, maximum + s);
}

template <class D>
HWY_INLINE void AddExp(D d, const float* x, float offset, const float* maximum, float* sum) {
  const auto value = hn::Add(hn::LoadU(d, x), hn::Set(d, offset));
  const auto power = ExpOrNaN(d, hn::Sub(value, hn::LoadU(d, maximum)));
  hn::StoreU(hn::Add(hn::LoadU(d, sum), power), d, sum);
}

// sum[s] += e^(x[s] + offset - maximum[s]).
void AddExponentials(int64_t count, const float* x, float offset, const float* maximum,
                     float* sum) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t s = 0;
  for (; s + lanes <= count; s += lanes) AddExp(D(), x + s, offset, maximum + s, sum + s);
  for (; s < count; ++s) AddExp(One(), x + s, offset, maximum + s, sum + s);
}

template <class D>
HWY_INLINE void SoftmaxStep(D d, float offset, const float* maximum, const float* factor,
                            float* x) {
  const auto value = hn::Add(hn::LoadU(d, x), hn::Set(d, offset));
  const auto power = ExpOrNaN(d, hn::Sub(value, hn::LoadU(d, maximum)));
  hn::StoreU(hn::Mul(power, hn::LoadU(d, factor)), d, x);
}

// x[s] = e^(x[s] + offset - maximum[s]) * factor[s].
void SoftmaxRow(int64_t count, float offset, const float* maximum, const float* factor, float* x) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t s = 0;
  for (; s + lanes <= count; s += lanes) {
    SoftmaxStep(D(), offset, maximum + s, factor + s, x + s);
  }
  for (; s < count; ++s) SoftmaxStep(One(), offset, maximum + s, factor + s, x + s);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(RaiseMaximum);
HWY_EXPORT(AddExponentials);
HWY_EXPORT(SoftmaxRow);

constexpr int64_t kColumns = 256;  // positions at a time
constexpr int64_t kRows = 16;      // of the vocabulary: a chunk stays in the first-level cache

// The logits of one range of positions, at most kColumns wide.
struct Part {
  int64_t vocab, seq, first, count;
  float bias;  // of the last row

  float Offset(int64_t row) const { return row + 1 == vocab ? bias : 0.0f; }
  int64_t At(int64_t row) const { return row * seq + first; }
};

// The softmax's normalisation, position by position.
struct Normaliser {
  alignas(64) float maximum[kColumns];
  double sum[kColumns];
};

// Reads the logits once, kRows at a time, and rescales the sums where a chunk raises the maximum.
void Normalise(const Part& part, const float* logits, Normaliser& out) {
  alignas(64) float sum[kColumns], before[kColumns];
  std::fill_n(out.maximum, part.count, std::numeric_limits<float>::lowest());
  std::fill_n(out.sum, part.count, 0.0);
  for (int64_t row = 0; row < part.vocab; row += kRows) {
    const int64_t end = std::min(row + kRows, part.vocab);
    std::copy_n(out.maximum, part.count, before);
    for (int64_t v = row; v < end; ++v) {
      HWY_DYNAMIC_DISPATCH(RaiseMaximum)
      (part.count, logits + part.At(v), part.Offset(v), out.maximum);
    }
    std::fill_n(sum, part.count, 0.0f);
    for (int64_t v = row; v < end; ++v) {
      HWY_DYNAMIC_DISPATCH(AddExponentials)
      (part.count, logits + part.At(v), part.Offset(v), out.maximum, sum);
    }
    for (int64_t s = 0; s < part.count; ++s) {
      if (before[s] != out.maximum[s]) {
        out.sum[s] *= std::exp(static_cast<double>(before[s]) - out.maximum[s]);
      }
      out.sum[s] += sum[s];
    }
  }
}

// Writes -log softmax[target] of each position to losses[first...].
void Losses(const Part& part, std::span<const int32_t> targets, const float* logits,
            const Normaliser& normaliser, double* losses) {
  for (int64_t s = 0; s < part.count; ++s) {
    const int64_t target = targets[part.first + s];
    const double logit = static_cast<double>(logits[part.At(target) + s]) + part.Offset(target);
    losses[part.first + s] = std::log(normaliser.sum[s]) + normaliser.maximum[s] - logit;
  }
}

// Overwrites the logits by (softmax - onehot) * factor.
void Gradients(const Part& part, std::span<const int32_t> targets, double factor,
               const Normaliser& normaliser, float* logits) {
  alignas(64) float scale[kColumns];
  for (int64_t s = 0; s < part.count; ++s) {
    scale[s] = static_cast<float>(factor / normaliser.sum[s]);
  }
  for (int64_t v = 0; v < part.vocab; ++v) {
    HWY_DYNAMIC_DISPATCH(SoftmaxRow)
    (part.count, part.Offset(v), normaliser.maximum, scale, logits + part.At(v));
  }
  for (int64_t s = 0; s < part.count; ++s) {
    logits[part.At(targets[part.first + s]) + s] -= static_cast<float>(factor);
  }
}

// Writes the losses, and calls fn(part, normaliser) after those of each part are known. A position
// is summed by one thread in a fixed order: the result does not depend on the number of threads.
template <class Fn>
void ForParts(int64_t vocab, int64_t seq, std::span<const int32_t> targets, double bias,
              const float* logits, std::span<double> losses, const Fn& fn) {
  ParallelFor(seq, 16, [&](int64_t begin, int64_t end) {
    Normaliser normaliser;
    for (int64_t first = begin; first < end; first += kColumns) {
      const Part part{vocab, seq, first, std::min(kColumns, end - first), static_cast<float>(bias)};
      Normalise(part, logits, normaliser);
      Losses(part, targets, logits, normaliser, losses.data());
      fn(part, normaliser);
    }
  });
}

double Mean(std::span<const double> losses) {
  double sum = 0;
  for (double loss : losses) sum += loss;
  return sum / static_cast<double>(losses.size());
}

}  // namespace

double CrossEntropy(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                    double last_row_bias, double scale, float* logits) {
  const double factor = scale / static_cast<double>(seq);
  std::vector<double> losses(static_cast<size_t>(seq));
  ForParts(vocab, seq, targets, last_row_bias, logits, losses,
           [&](const Part& part, const Normaliser& normaliser) {
             Gradients(part, targets, factor, normaliser, logits);
           });
  return Mean(losses);
}

double CrossEntropy(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                    double last_row_bias, double scale, double* logits) {
  return scalar::CrossEntropy(vocab, seq, targets, last_row_bias, scale, logits);
}

double CrossEntropyLoss(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const float* logits) {
  std::vector<double> losses(static_cast<size_t>(seq));
  CrossEntropyLosses(vocab, seq, targets, last_row_bias, logits, losses);
  return Mean(losses);
}

double CrossEntropyLoss(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const double* logits) {
  return scalar::CrossEntropyLoss(vocab, seq, targets, last_row_bias, logits);
}

void CrossEntropyLosses(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const float* logits, std::span<double> losses) {
  ForParts(vocab, seq, targets, last_row_bias, logits, losses,
           [](const Part&, const Normaliser&) {});
}

void CrossEntropyLosses(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const double* logits, std::span<double> losses) {
  scalar::CrossEntropyLosses(vocab, seq, targets, last_row_bias, logits, losses.data());
}

namespace {

template <class T>
double OfProbabilities(int64_t vocab, int64_t seq, std::span<const int32_t> targets, double floor,
                       double scale, T* probabilities) {
  const double factor = scale / static_cast<double>(seq);
  double loss = 0;
  for (int64_t s = 0; s < seq; ++s) {
    // NaN stays: it is compared with nothing.
    const auto p = static_cast<double>(probabilities[targets[s] * seq + s]);
    loss -= std::log(p < floor ? floor : p);
  }
  Scale(vocab * seq, factor, probabilities);
  for (int64_t s = 0; s < seq; ++s) probabilities[targets[s] * seq + s] -= static_cast<T>(factor);
  return loss / static_cast<double>(seq);
}

}  // namespace

double CrossEntropyOfProbabilities(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                                   double floor, double scale, float* probabilities) {
  return OfProbabilities(vocab, seq, targets, floor, scale, probabilities);
}

double CrossEntropyOfProbabilities(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                                   double floor, double scale, double* probabilities) {
  return OfProbabilities(vocab, seq, targets, floor, scale, probabilities);
}

}  // namespace millwright::math
#endif  // HWY_ONCE
