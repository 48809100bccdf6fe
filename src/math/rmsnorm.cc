#include "math/rmsnorm.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "math/rmsnorm_columns.h"
#include "math/scalar/rmsnorm.h"
#include "math/simd.h"
#include "math/vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/rmsnorm.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef MILLWRIGHT_MATH_RMSNORM_ONCE
#define MILLWRIGHT_MATH_RMSNORM_ONCE
namespace millwright::math {
namespace {

// One row of the gradient. `skip` may be null.
struct GradientRow {
  const float* dy;
  const float* x;
  const float* r;
  const float* pull;
  const float* skip;
  float w;
  float* dx;
};

}  // namespace
}  // namespace millwright::math
#endif  // MILLWRIGHT_MATH_RMSNORM_ONCE

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using One = hn::CappedTag<float, 1>;

template <class D>
HWY_INLINE void AddSquares(D d, const float* x, float* sum) {
  const auto v = hn::LoadU(d, x);
  hn::StoreU(hn::MulAdd(v, v, hn::LoadU(d, sum)), d, sum);
}

// sum[s] += x[s]^2.
void AddSquaresOfRow(int64_t count, const float* x, float* sum) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t s = 0;
  for (; s + lanes <= count; s += lanes) AddSquares(D(), x + s, sum + s);
  for (; s < count; ++s) AddSquares(One(), x + s, sum + s);
}

template <class D>
HWY_INLINE void Normalize(D d, const float* x, const float* r, float w, float* y) {
  hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, x), hn::LoadU(d, r)), hn::Set(d, w)), d, y);
}

// y[s] = x[s] * r[s] * w.
void NormalizeRow(int64_t count, const float* x, const float* r, float w, float* y) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t s = 0;
  for (; s + lanes <= count; s += lanes) Normalize(D(), x + s, r + s, w, y + s);
  for (; s < count; ++s) Normalize(One(), x + s, r + s, w, y + s);
}

template <class D>
HWY_INLINE void AddProduct(D d, const float* dy, const float* x, float w, float* sum) {
  const auto product = hn::Mul(hn::LoadU(d, dy), hn::LoadU(d, x));
  hn::StoreU(hn::MulAdd(product, hn::Set(d, w), hn::LoadU(d, sum)), d, sum);
}

// sum[s] += w * dy[s] * x[s].
void AddProductOfRow(int64_t count, const float* dy, const float* x, float w, float* sum) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t s = 0;
  for (; s + lanes <= count; s += lanes) AddProduct(D(), dy + s, x + s, w, sum + s);
  for (; s < count; ++s) AddProduct(One(), dy + s, x + s, w, sum + s);
}

// Writes dx and returns dy*x*r.
template <class D>
HWY_INLINE hn::Vec<D> Gradient(D d, const GradientRow& row, int64_t s) {
  const auto dy = hn::LoadU(d, row.dy + s), x = hn::LoadU(d, row.x + s);
  const auto r = hn::LoadU(d, row.r + s);
  const auto pulled = hn::Mul(x, hn::LoadU(d, row.pull + s));
  const auto inner = hn::MulSub(hn::Set(d, row.w), dy, pulled);
  const auto dx =
      row.skip != nullptr ? hn::MulAdd(r, inner, hn::LoadU(d, row.skip + s)) : hn::Mul(r, inner);
  hn::StoreU(dx, d, row.dx + s);
  return hn::Mul(hn::Mul(dy, x), r);
}

// Returns the sum of dy*x*r over the row.
float GradientOfRow(int64_t count, const GradientRow& row) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  auto sum = hn::Zero(D());
  int64_t s = 0;
  for (; s + lanes <= count; s += lanes) sum = hn::Add(sum, Gradient(D(), row, s));
  float total = hn::GetLane(hn::SumOfLanes(D(), sum));
  for (; s < count; ++s) total += hn::GetLane(Gradient(One(), row, s));
  return total;
}

template <class D>
HWY_INLINE hn::Vec<D> WeightGradient(D d, const float* dy, const float* x, const float* r) {
  return hn::Mul(hn::Mul(hn::LoadU(d, dy), hn::LoadU(d, x)), hn::LoadU(d, r));
}

// Returns the sum of dy*x*r over the row.
float WeightGradientOfRow(int64_t count, const float* dy, const float* x, const float* r) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  auto sum = hn::Zero(D());
  int64_t s = 0;
  for (; s + lanes <= count; s += lanes) {
    sum = hn::Add(sum, WeightGradient(D(), dy + s, x + s, r + s));
  }
  float total = hn::GetLane(hn::SumOfLanes(D(), sum));
  for (; s < count; ++s) total += hn::GetLane(WeightGradient(One(), dy + s, x + s, r + s));
  return total;
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(AddSquaresOfRow);
HWY_EXPORT(NormalizeRow);
HWY_EXPORT(AddProductOfRow);
HWY_EXPORT(GradientOfRow);
HWY_EXPORT(WeightGradientOfRow);

constexpr int64_t kColumns = 512;  // at a time: their sums stay in the first-level cache

// Calls fn(first, count) for the columns of a range, at most kColumns at a time.
template <class Fn>
void InChunks(const Columns& columns, const Fn& fn) {
  for (int64_t s = columns.begin; s < columns.end; s += kColumns) {
    fn(s, std::min(kColumns, columns.end - s));
  }
}

}  // namespace

void InverseRmsOfColumns(int64_t channels, const Columns& columns, double eps, const float* x,
                         float* inv_rms) {
  InChunks(columns, [&](int64_t first, int64_t count) {
    float* sum = inv_rms + first;
    std::fill_n(sum, count, 0.0f);
    for (int64_t c = 0; c < channels; ++c) {
      HWY_DYNAMIC_DISPATCH(AddSquaresOfRow)(count, x + c * columns.stride + first, sum);
    }
    for (int64_t s = 0; s < count; ++s) {
      const double mean = static_cast<double>(sum[s]) / static_cast<double>(channels);
      sum[s] = static_cast<float>(1.0 / std::sqrt(mean + eps));
    }
  });
}

void RmsNormBackwardColumns(int64_t channels, const Columns& columns, const float* dy,
                            const float* x, const float* w, const float* inv_rms, const float* skip,
                            float* dx, float* dw) {
  InChunks(columns, [&](int64_t first, int64_t count) {
    alignas(64) float pull[kColumns] = {};
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t row = c * columns.stride + first;
      HWY_DYNAMIC_DISPATCH(AddProductOfRow)(count, dy + row, x + row, w[c], pull);
    }
    for (int64_t s = 0; s < count; ++s) {
      const float r = inv_rms[first + s];
      pull[s] *= r * r / static_cast<float>(channels);
    }
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t row = c * columns.stride + first;
      dw[c] += HWY_DYNAMIC_DISPATCH(GradientOfRow)(
          count, {dy + row, x + row, inv_rms + first, pull, skip == nullptr ? nullptr : skip + row,
                  w[c], dx + row});
    }
  });
}

void RmsNorm(int64_t channels, int64_t seq, double eps, const float* x, const float* w, float* y,
             float* inv_rms) {
  if (seq == 1) {  // generation: channels lie side by side
    const double mean = SumOfSquares(channels, x) / static_cast<double>(channels);
    const float r = *inv_rms = static_cast<float>(1.0 / std::sqrt(mean + eps));
    for (int64_t c = 0; c < channels; ++c) y[c] = x[c] * r * w[c];
    return;
  }
  ParallelFor(seq, 16, [&](int64_t begin, int64_t end) {
    InverseRmsOfColumns(channels, {begin, end, seq}, eps, x, inv_rms);
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t row = c * seq + begin;
      HWY_DYNAMIC_DISPATCH(NormalizeRow)(end - begin, x + row, inv_rms + begin, w[c], y + row);
    }
  });
}

void RmsNorm(int64_t channels, int64_t seq, double eps, const double* x, const double* w, double* y,
             double* inv_rms) {
  scalar::RmsNorm(channels, seq, eps, x, w, y, inv_rms);
}

void RmsNormBackward(int64_t channels, int64_t seq, const float* dy, const float* x, const float* w,
                     const float* inv_rms, const float* skip, float* dx, float* dw) {
  ForColumnsWithWeightGradient(channels, seq, dw, [&](const Columns& columns, float* part) {
    RmsNormBackwardColumns(channels, columns, dy, x, w, inv_rms, skip, dx, part);
  });
}

void RmsNormBackward(int64_t channels, int64_t seq, const double* dy, const double* x,
                     const double* w, const double* inv_rms, const double* skip, double* dx,
                     double* dw) {
  scalar::RmsNormBackward(channels, seq, dy, x, w, inv_rms, skip, dx, dw);
}

void RmsNormWeightGradient(int64_t channels, int64_t seq, const float* dy, const float* x,
                           const float* inv_rms, float* dw) {
  ParallelFor(channels, 16, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      dw[c] += HWY_DYNAMIC_DISPATCH(WeightGradientOfRow)(seq, dy + c * seq, x + c * seq, inv_rms);
    }
  });
}

void RmsNormWeightGradient(int64_t channels, int64_t seq, const double* dy, const double* x,
                           const double* inv_rms, double* dw) {
  scalar::RmsNormWeightGradient(channels, seq, dy, x, inv_rms, dw);
}

}  // namespace millwright::math
#endif  // HWY_ONCE
