#include "math/swiglu.h"

#include "base/threads.h"
#include "math/scalar/swiglu.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/swiglu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "hwy/contrib/math/math-inl.h"  // after foreach_target.h

#ifndef MILLWRIGHT_MATH_SWIGLU_ONCE
#define MILLWRIGHT_MATH_SWIGLU_ONCE
namespace millwright::math {
namespace {

struct SwigluArrays {
  const float* dgate;
  const float* h1;
  const float* h3;
  float* dh1;
  float* dh3;
};

}  // namespace
}  // namespace millwright::math
#endif  // MILLWRIGHT_MATH_SWIGLU_ONCE

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE void SwigluStep(D d, const SwigluArrays& arrays, int64_t i) {
  const auto one = hn::Set(d, 1.0f);
  const auto g = hn::LoadU(d, arrays.dgate + i);
  const auto a = hn::LoadU(d, arrays.h1 + i);
  const auto b = hn::LoadU(d, arrays.h3 + i);
  // Exp is defined up to 104, where it is infinite and the sigmoid 0.
  const auto s = hn::Div(one, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(a), hn::Set(d, 104.0f)))));
  const auto slope = hn::MulAdd(a, hn::Sub(one, s), one);
  hn::StoreU(hn::Mul(hn::Mul(hn::Mul(g, b), s), slope), d, arrays.dh1 + i);
  hn::StoreU(hn::Mul(hn::Mul(g, a), s), d, arrays.dh3 + i);
}

void SwigluRange(int64_t begin, int64_t end, const SwigluArrays& arrays) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = begin;
  for (; i + lanes <= end; i += lanes) SwigluStep(d, arrays, i);
  for (; i < end; ++i) SwigluStep(hn::CappedTag<float, 1>(), arrays, i);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {
HWY_EXPORT(SwigluRange);
}  // namespace

void SwigluBackward(int64_t count, const float* dgate, const float* h1, const float* h3, float* dh1,
                    float* dh3) {
  ParallelFor(count, 1024, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(SwigluRange)(begin, end, {dgate, h1, h3, dh1, dh3});
  });
}

void SwigluBackward(int64_t count, const double* dgate, const double* h1, const double* h3,
                    double* dh1, double* dh3) {
  scalar::SwigluBackward(count, dgate, h1, h3, dh1, dh3);
}

}  // namespace millwright::math
#endif  // HWY_ONCE
