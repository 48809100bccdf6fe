#include "math/adamw.h"

#include <cmath>

#include "base/threads.h"
#include "math/scalar/adamw.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/adamw.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "math/bf16_inl.h"  // after foreach_target.h

#ifndef MILLWRIGHT_MATH_ADAMW_ONCE
#define MILLWRIGHT_MATH_ADAMW_ONCE
namespace millwright::math {
namespace {

// The constants of one update, computed in double.
struct AdamWConstants {
  explicit AdamWConstants(const AdamW& options)
      : grad_scale(static_cast<float>(options.grad_scale)),
        beta1(static_cast<float>(options.beta1)),
        beta2(static_cast<float>(options.beta2)),
        rest1(static_cast<float>(1.0 - options.beta1)),
        rest2(static_cast<float>(1.0 - options.beta2)),
        eps(static_cast<float>(options.eps)),
        decay(static_cast<float>(options.lr * options.weight_decay)) {
    const auto step = static_cast<double>(options.step);
    rate = static_cast<float>(options.lr / (1.0 - std::pow(options.beta1, step)));
    root = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options.beta2, step)));
  }

  float grad_scale, beta1, beta2, rest1, rest2, eps, decay;
  float rate = 0;  // lr / (1 - beta1^step)
  float root = 0;  // 1 / sqrt(1 - beta2^step)
};

}  // namespace
}  // namespace millwright::math
#endif  // MILLWRIGHT_MATH_ADAMW_ONCE

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> LoadMoment(D d, const float* from) {
  return hn::LoadU(d, from);
}

template <class D>
HWY_INLINE void StoreMoment(D d, hn::Vec<D> value, float* to) {
  hn::StoreU(value, d, to);
}

template <class D>
HWY_INLINE hn::Vec<D> LoadMoment(D d, const Bf16* from) {
  return LoadBf16(d, from);
}

template <class D>
HWY_INLINE void StoreMoment(D d, hn::Vec<D> value, Bf16* to) {
  StoreBf16(d, value, to);
}

template <class D, class Moment>
HWY_INLINE void AdamWStep(D d, const AdamWConstants& k, float* HWY_RESTRICT w,
                          const float* HWY_RESTRICT g, Moment* HWY_RESTRICT m,
                          Moment* HWY_RESTRICT v) {
  const auto gradient = hn::Mul(hn::LoadU(d, g), hn::Set(d, k.grad_scale));
  const auto first =
      hn::MulAdd(hn::Set(d, k.rest1), gradient, hn::Mul(hn::Set(d, k.beta1), LoadMoment(d, m)));
  const auto second = hn::MulAdd(hn::Mul(hn::Set(d, k.rest2), gradient), gradient,
                                 hn::Mul(hn::Set(d, k.beta2), LoadMoment(d, v)));
  const auto root = hn::MulAdd(hn::Sqrt(second), hn::Set(d, k.root), hn::Set(d, k.eps));
  const auto weight = hn::LoadU(d, w);
  const auto step = hn::Div(hn::Mul(first, hn::Set(d, k.rate)), root);
  StoreMoment(d, first, m);
  StoreMoment(d, second, v);
  hn::StoreU(hn::Sub(weight, hn::MulAdd(hn::Set(d, k.decay), weight, step)), d, w);
}

template <class Moment>
HWY_INLINE void AdamWSteps(int64_t begin, int64_t end, const AdamWConstants& constants, float* w,
                           const float* g, Moment* m, Moment* v) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = begin;
  for (; i + lanes <= end; i += lanes) AdamWStep(d, constants, w + i, g + i, m + i, v + i);
  for (; i < end; ++i) {
    AdamWStep(hn::CappedTag<float, 1>(), constants, w + i, g + i, m + i, v + i);
  }
}

void AdamWRange(int64_t begin, int64_t end, const AdamWConstants& constants, float* w,
                const float* g, float* m, float* v) {
  AdamWSteps(begin, end, constants, w, g, m, v);
}

void AdamWBf16Range(int64_t begin, int64_t end, const AdamWConstants& constants, float* w,
                    const float* g, Bf16* m, Bf16* v) {
  AdamWSteps(begin, end, constants, w, g, m, v);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {
HWY_EXPORT(AdamWRange);
HWY_EXPORT(AdamWBf16Range);

constexpr int64_t kGrain = 1024;
}  // namespace

void AdamWUpdate(const AdamW& options, int64_t count, float* w, const float* g, float* m,
                 float* v) {
  const AdamWConstants constants(options);
  ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(AdamWRange)(begin, end, constants, w, g, m, v);
  });
}

void AdamWUpdate(const AdamW& options, int64_t count, float* w, const float* g, Bf16* m, Bf16* v) {
  const AdamWConstants constants(options);
  ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(AdamWBf16Range)(begin, end, constants, w, g, m, v);
  });
}

void AdamWUpdate(const AdamW& options, int64_t count, double* w, const double* g, double* m,
                 double* v) {
  scalar::AdamWUpdate(options, count, w, g, m, v);
}

}  // namespace millwright::math
#endif  // HWY_ONCE
