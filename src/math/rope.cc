#include "math/rope.h"

#include <cmath>

#include "base/threads.h"
#include "math/scalar/rope.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/rope.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE void Rotate(D d, const float* cos, const float* sin, float* a, float* b) {
  const auto c = hn::LoadU(d, cos), s = hn::LoadU(d, sin);
  const auto x = hn::LoadU(d, a), y = hn::LoadU(d, b);
  hn::StoreU(hn::MulSub(x, c, hn::Mul(y, s)), d, a);
  hn::StoreU(hn::MulAdd(x, s, hn::Mul(y, c)), d, b);
}

// (a, b) = (a*cos - b*sin, a*sin + b*cos), position by position.
void RotateRows(int64_t count, const float* cos, const float* sin, float* a, float* b) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t s = 0;
  for (; s + lanes <= count; s += lanes) Rotate(d, cos + s, sin + s, a + s, b + s);
  for (; s < count; ++s) Rotate(hn::CappedTag<float, 1>(), cos + s, sin + s, a + s, b + s);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(RotateRows);

// The rotation of one pair of channels at all positions.
struct Rotation {
  std::vector<float> cos, sin;

  Rotation(const RopeTables& tables, int64_t pair, bool inverse) {
    const int64_t half = tables.head_dim / 2;
    for (int64_t s = 0; s < tables.seq; ++s) {
      const double sine = tables.sin[s * half + pair];
      cos.push_back(static_cast<float>(tables.cos[s * half + pair]));
      sin.push_back(static_cast<float>(inverse ? -sine : sine));
    }
  }
};

}  // namespace

RopeTables MakeRopeTables(int64_t seq, int64_t head_dim, double theta, int64_t batch) {
  RopeTables tables{batch * seq, head_dim, {}, {}};
  const int64_t half = head_dim / 2;
  tables.cos.resize(static_cast<size_t>(tables.seq * half));
  tables.sin.resize(static_cast<size_t>(tables.seq * half));
  for (int64_t i = 0; i < half; ++i) {
    const double frequency =
        std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
    for (int64_t s = 0; s < tables.seq; ++s) {
      const double angle = static_cast<double>(s % seq) * frequency;
      tables.cos[s * half + i] = std::cos(angle);
      tables.sin[s * half + i] = std::sin(angle);
    }
  }
  return tables;
}

void Rope(const RopeTables& tables, int64_t heads, bool half_split, bool inverse, float* x) {
  const int64_t half = tables.head_dim / 2;
  ParallelFor(half, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Rotation rotation(tables, i, inverse);
      for (int64_t h = 0; h < heads; ++h) {
        float* head = x + h * tables.head_dim * tables.seq;
        HWY_DYNAMIC_DISPATCH(RotateRows)
        (tables.seq, rotation.cos.data(), rotation.sin.data(),
         head + (half_split ? i : 2 * i) * tables.seq,
         head + (half_split ? i + half : 2 * i + 1) * tables.seq);
      }
    }
  });
}

void Rope(const RopeTables& tables, int64_t heads, bool half_split, bool inverse, double* x) {
  scalar::Rope(tables, heads, half_split, inverse, x);
}

}  // namespace millwright::math
#endif  // HWY_ONCE
