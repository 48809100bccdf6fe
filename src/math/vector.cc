#include "math/vector.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/threads.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/vector.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using One = hn::CappedTag<float, 1>;

double SquaresOf(int64_t count, const float* x) {
  const hn::ScalableTag<double> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  auto a = hn::Zero(wide), b = a;
  int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const auto u = hn::PromoteTo(wide, hn::LoadU(narrow, x + i));
    const auto v = hn::PromoteTo(wide, hn::LoadU(narrow, x + i + lanes));
    a = hn::MulAdd(u, u, a);
    b = hn::MulAdd(v, v, b);
  }
  double sum = hn::GetLane(hn::SumOfLanes(wide, hn::Add(a, b)));
  for (; i < count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

// The largest bit pattern without the sign: that of the largest magnitude, where infinity is larger
// than any number and NaN larger than infinity.
uint32_t LargestMagnitude(int64_t count, const float* x) {
  const hn::ScalableTag<int32_t> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto* bits = reinterpret_cast<const int32_t*>(x);
  const auto mask = hn::Set(d, 0x7FFFFFFF);
  auto a = hn::Zero(d), b = a;
  int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    a = hn::Max(a, hn::And(mask, hn::LoadU(d, bits + i)));
    b = hn::Max(b, hn::And(mask, hn::LoadU(d, bits + i + lanes)));
  }
  int32_t largest = hn::GetLane(hn::MaxOfLanes(d, hn::Max(a, b)));
  for (; i < count; ++i) {
    const int32_t magnitude = bits[i] & 0x7FFFFFFF;
    if (magnitude > largest) largest = magnitude;
  }
  return static_cast<uint32_t>(largest);
}

void ScaleRange(int64_t count, float factor, float* x) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  const auto f = hn::Set(D(), factor);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::Mul(hn::LoadU(D(), x + i), f), D(), x + i);
  }
  for (; i < count; ++i) x[i] *= factor;
}

template <class D>
HWY_INLINE void AddScaledStep(D d, const float* a, float factor, const float* b, float* y) {
  hn::StoreU(hn::MulAdd(hn::Set(d, factor), hn::LoadU(d, b), hn::LoadU(d, a)), d, y);
}

void AddScaledRange(int64_t count, const float* a, float factor, const float* b, float* y) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) AddScaledStep(D(), a + i, factor, b + i, y + i);
  for (; i < count; ++i) AddScaledStep(One(), a + i, factor, b + i, y + i);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(SquaresOf);
HWY_EXPORT(LargestMagnitude);
HWY_EXPORT(ScaleRange);
HWY_EXPORT(AddScaledRange);

constexpr int64_t kBlock = 1 << 16;
constexpr int64_t kGrain = 1024;

// fn(first, count) of every block of kBlock elements, in parallel; results in the order of blocks,
// so that what is made of them does not depend on the number of threads.
template <class R, class Fn>
std::vector<R> OfBlocks(int64_t count, const Fn& fn) {
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  std::vector<R> results(static_cast<size_t>(blocks));
  ParallelFor(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      results[static_cast<size_t>(i)] = fn(i * kBlock, std::min(kBlock, count - i * kBlock));
    }
  });
  return results;
}

uint32_t LargestMagnitudeOf(int64_t count, const float* x) {
  uint32_t largest = 0;
  for (uint32_t bits : OfBlocks<uint32_t>(count, [&](int64_t first, int64_t n) {
         return HWY_DYNAMIC_DISPATCH(LargestMagnitude)(n, x + first);
       })) {
    largest = std::max(largest, bits);
  }
  return largest;
}

}  // namespace

double SumOfSquares(int64_t count, const float* x) {
  double sum = 0;
  for (double part : OfBlocks<double>(count, [&](int64_t first, int64_t n) {
         return HWY_DYNAMIC_DISPATCH(SquaresOf)(n, x + first);
       })) {
    sum += part;
  }
  return sum;
}

double SumOfSquares(int64_t count, const double* x) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += x[i] * x[i];
  return sum;
}

bool AllFinite(int64_t count, const float* x) { return LargestMagnitudeOf(count, x) < 0x7F800000u; }

bool AllFinite(int64_t count, const double* x) {
  return std::all_of(x, x + count, [](double value) { return std::isfinite(value); });
}

double MaxAbs(int64_t count, const float* x) {
  return std::bit_cast<float>(LargestMagnitudeOf(count, x));
}

double MaxAbs(int64_t count, const double* x) {
  double maximum = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (std::isnan(x[i])) return x[i];
    maximum = std::max(maximum, std::fabs(x[i]));
  }
  return maximum;
}

void Scale(int64_t count, double factor, float* x) {
  ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(ScaleRange)(end - begin, static_cast<float>(factor), x + begin);
  });
}

void Scale(int64_t count, double factor, double* x) {
  for (int64_t i = 0; i < count; ++i) x[i] *= factor;
}

void AddScaled(int64_t count, const float* a, double factor, const float* b, float* y) {
  ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(AddScaledRange)
    (end - begin, a + begin, static_cast<float>(factor), b + begin, y + begin);
  });
}

void AddScaled(int64_t count, const double* a, double factor, const double* b, double* y) {
  for (int64_t i = 0; i < count; ++i) y[i] = a[i] + factor * b[i];
}

}  // namespace millwright::math
#endif  // HWY_ONCE
