#include "math/ane_gemm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "base/aligned.h"
#include "base/ane_arithmetic.h"
#include "base/threads.h"
#include "math/simd.h"

#ifndef MILLWRIGHT_MATH_ANE_GEMM_LEFT  // this file is included once for each instruction set
#define MILLWRIGHT_MATH_ANE_GEMM_LEFT
namespace millwright::math {

// Numbers of the left operand, ready to be multiplied: times 2^16, and their powers of two.
struct Left {
  const float* values = nullptr;
  const float* powers = nullptr;

  Left operator+(int64_t count) const { return {values + count, powers + count}; }
};

}  // namespace millwright::math
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/ane_gemm.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using DI = hn::RebindToSigned<D>;

constexpr int64_t kRows = 4;

// The magnitude's power of two, as the multiplier sees it: 2^AneExponent(v).
HWY_INLINE V Power(V v) {
  const D d;
  const hn::RebindToUnsigned<D> du;
  const V power = hn::And(v, hn::BitCast(d, hn::Set(du, 0x7F800000u)));
  return hn::Max(power, hn::Set(d, 0x1p-14f));
}

// a * b in steps of 2^-16, rounded half away from zero (the caller truncates), or 0 where it
// vanishes. Exact: the product of two fp16 has 22 bits, and a half is below its last bit only where
// it is a whole number of steps, an even one if there are 23 bits or more.
HWY_INLINE V Steps(Left a, V b, V power) {
  const D d;
  const V product = hn::Mul(hn::Set(d, *a.values), b);
  const auto stays = hn::Gt(hn::Mul(hn::Set(d, *a.powers), power), hn::Set(d, 0x1p-17f));
  const V rounded = hn::Add(product, hn::CopySignToAbs(hn::Set(d, 0.5f), product));
  return hn::IfThenElseZero(stays, rounded);
}

// sums[row, lane] for kRows rows (stride k) and one vector of columns, where no partial sum can
// reach the limit.
void SumTile(int64_t k, Left a, const float* b, int64_t stride, int32_t* sums) {
  const D d;
  const DI di;
  auto sum0 = hn::Zero(di), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (int64_t p = 0; p < k; ++p, b += stride) {
    const V value = hn::Load(d, b);
    const V power = Power(value);
    sum0 = hn::Add(sum0, hn::ConvertTo(di, Steps(a + p, value, power)));
    sum1 = hn::Add(sum1, hn::ConvertTo(di, Steps(a + (k + p), value, power)));
    sum2 = hn::Add(sum2, hn::ConvertTo(di, Steps(a + (2 * k + p), value, power)));
    sum3 = hn::Add(sum3, hn::ConvertTo(di, Steps(a + (3 * k + p), value, power)));
  }
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  hn::StoreU(sum0, di, sums);
  hn::StoreU(sum1, di, sums + lanes);
  hn::StoreU(sum2, di, sums + 2 * lanes);
  hn::StoreU(sum3, di, sums + 3 * lanes);
}

// sums[lane] of one row and one vector of columns, in ascending order of p; infinite from the
// moment on in which the limit is reached.
void SumCarefully(int64_t k, Left a, const float* b, int64_t stride, double* sums) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  constexpr double kLimit = kAneSumLimit * kAneFixedOne;
  HWY_ALIGN float steps[hn::MaxLanes(D())];
  std::fill_n(sums, lanes, 0.0);
  for (int64_t p = 0; p < k; ++p, b += stride) {
    const V value = hn::Load(d, b);
    hn::Store(hn::Trunc(Steps(a + p, value, Power(value))), d, steps);
    for (size_t i = 0; i < lanes; ++i) {
      const double sum = sums[i] + static_cast<double>(steps[i]);
      const bool stuck = std::fabs(sum) >= kLimit;
      sums[i] = stuck ? std::copysign(std::numeric_limits<double>::infinity(), sum) : sum;
    }
  }
}

// Rows [begin, begin + count) of the product, count <= kRows. `safe`: none can reach the limit.
void ProductRows(const Numerics& numerics, int64_t n, int64_t k, Left a, int64_t count, bool safe,
                 const float* b, int64_t stride, float* c) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  HWY_ALIGN int32_t sums[kRows * hn::MaxLanes(D())];
  HWY_ALIGN double careful[hn::MaxLanes(D())];
  for (int64_t j = 0; j < n; j += lanes) {
    const int64_t width = std::min(lanes, n - j);
    if (safe) SumTile(k, a, b + j, stride, sums);
    for (int64_t row = 0; row < count; ++row) {
      if (!safe) SumCarefully(k, a + row * k, b + j, stride, careful);
      for (int64_t i = 0; i < width; ++i) {
        const double steps = safe ? sums[row * lanes + i] : careful[i];
        c[row * n + j + i] = static_cast<float>(
            numerics.Round(AneSumResult(steps / kAneFixedOne, numerics.rules()), DType::kFp16));
      }
    }
  }
}

int64_t VectorLanes() { return static_cast<int64_t>(hn::Lanes(D())); }

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(ProductRows);
HWY_EXPORT(VectorLanes);

constexpr int64_t kRowsAtOnce = 4;

// The right operand as it is read: decoded, rows padded with zeros to whole vectors, and the
// largest magnitude of each row.
struct Right {
  int64_t stride = 0;
  AlignedBuffer<float> values;
  std::vector<double> largest;
};

Right ReadRight(const Numerics& numerics, int64_t n, int64_t k, const float* b) {
  const int64_t lanes = HWY_DYNAMIC_DISPATCH(VectorLanes)();
  Right right;
  right.stride = (n + lanes - 1) / lanes * lanes;
  right.values = AlignedBuffer<float>(static_cast<size_t>(right.stride * k));
  right.largest.resize(static_cast<size_t>(k));
  for (int64_t p = 0; p < k; ++p) {
    float* row = right.values.data() + p * right.stride;
    float largest = 0;
    for (int64_t j = 0; j < n; ++j) {
      row[j] = static_cast<float>(numerics.Operand(b[p * n + j]));
      largest = std::max(largest, std::fabs(row[j]));
    }
    std::fill(row + n, row + right.stride, 0.0f);
    right.largest[static_cast<size_t>(p)] = largest;
  }
  return right;
}

// Rows of the left operand; a thread's own.
class LeftRows {
 public:
  explicit LeftRows(int64_t k) : k_(k), values_(Size()), powers_(Size()) {}

  // Reads `count` rows, the missing ones as zeros. Returns whether no partial sum of theirs can
  // reach the limit, in whatever order: rounding adds half a step to a product at most.
  bool Read(const Numerics& numerics, int64_t count, const float* a,
            const std::vector<double>& largest) {
    std::ranges::fill(values_, 0.0f);
    std::ranges::fill(powers_, 0.0f);
    double bound = 0;
    for (int64_t row = 0; row < count; ++row) {
      double row_bound = static_cast<double>(k_) / (2 * kAneFixedOne);
      for (int64_t p = 0; p < k_; ++p) {
        const double value = numerics.Operand(a[row * k_ + p]);
        const auto at = static_cast<size_t>(row * k_ + p);
        values_[at] = static_cast<float>(value * kAneFixedOne);
        powers_[at] = static_cast<float>(std::ldexp(1.0, AneExponent(value)));
        row_bound += std::fabs(value) * largest[static_cast<size_t>(p)];
      }
      bound = std::max(bound, row_bound);
    }
    return bound < kAneSumLimit;
  }

  Left numbers() const { return {values_.data(), powers_.data()}; }

 private:
  size_t Size() const { return static_cast<size_t>(kRowsAtOnce * k_); }

  int64_t k_;
  std::vector<float> values_, powers_;
};

// Whether the vector loops follow these rules on these operands.
bool IsVectorized(const Numerics& numerics, std::span<const float> a, std::span<const float> b) {
  for (AneRule rule : {AneRule::kFixedPoint, AneRule::kVanish, AneRule::kSticky}) {
    if (!numerics.Follows(rule)) return false;
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  return numerics.Follows(AneRule::kDecode) ||
         (std::ranges::all_of(a, finite) && std::ranges::all_of(b, finite));
}

void Product(const Numerics& numerics, int64_t m, int64_t n, int64_t k, const float* a,
             const float* b, float* c) {
  const Right right = ReadRight(numerics, n, k, b);
  ParallelFor(m, kRowsAtOnce, [&](int64_t begin, int64_t end) {
    LeftRows left(k);
    for (int64_t row = begin; row < end; row += kRowsAtOnce) {
      const int64_t count = std::min(kRowsAtOnce, end - row);
      const bool safe = left.Read(numerics, count, a + row * k, right.largest);
      HWY_DYNAMIC_DISPATCH(ProductRows)
      (numerics, n, k, left.numbers(), count, safe, right.values.data(), right.stride, c + row * n);
    }
  });
}

}  // namespace

void AneGemm(const Numerics& numerics, int64_t m, int64_t n, int64_t k, const float* a,
             const float* b, float* c) {
  const auto size_a = static_cast<size_t>(m * k), size_b = static_cast<size_t>(k * n);
  if (!IsVectorized(numerics, {a, size_a}, {b, size_b})) {
    ScalarAneGemm(numerics, m, n, k, a, b, c);
    return;
  }
  Product(numerics, m, n, k, a, b, c);
  if (numerics.counters() != nullptr) numerics.counters()->Add(CountProducts(a, b, c, m, n, k));
}

void ScalarAneGemm(const Numerics& numerics, int64_t m, int64_t n, int64_t k, const float* a,
                   const float* b, float* c) {
  const std::vector<double> left(a, a + m * k), right(b, b + k * n);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const double sum =
          numerics.Dot(left.data() + i * k, 1, right.data() + j, n, static_cast<size_t>(k));
      c[i * n + j] = static_cast<float>(numerics.Round(sum, DType::kFp16));
    }
  }
  if (numerics.counters() != nullptr) numerics.counters()->Add(CountProducts(a, b, c, m, n, k));
}

}  // namespace millwright::math
#endif  // HWY_ONCE
