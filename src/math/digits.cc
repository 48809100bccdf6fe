#include "math/digits.h"

#include <bit>
#include <limits>

#include "math/simd.h"
#include "math/stream.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/digits.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "math/int8_dot-inl.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = WordsTag;
using DF = hn::Rebind<float, D>;

// 128 in every byte: with it, by exclusive or, a signed byte is itself plus 128, unsigned.
HWY_INLINE Words Offsets() { return hn::Set(D(), std::bit_cast<int32_t>(0x80808080)); }

// The largest magnitude as its bits, which order as numbers do, NaN last.
HWY_INLINE int32_t LargestBits(int64_t count, const float* HWY_RESTRICT x) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const Words magnitude = hn::Set(d, std::numeric_limits<int32_t>::max());
  Words most = hn::Zero(d);
  for (int64_t j = 0; j < count; j += lanes) {
    most = hn::Max(most, hn::And(LoadWords(x + j), magnitude));
  }
  return hn::GetLane(hn::MaxOfLanes(d, most));
}

void WriteDigits(int64_t count, const float* HWY_RESTRICT x, float per_unit, DigitVector& to) {
  const D d;
  const hn::Rebind<int8_t, D> d8;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto scale = hn::Set(DF(), per_unit);
  for (int64_t j = 0; j < count; j += lanes) {
    Words rest = hn::NearestInt(hn::Mul(hn::LoadU(DF(), x + j), scale));
    for (int8_t* digit : to.digits) {
      const Words low = hn::ShiftRight<24>(hn::ShiftLeft<24>(rest));
      hn::StoreU(hn::DemoteTo(d8, low), d8, digit + j);
      rest = hn::ShiftRight<8>(hn::Sub(rest, low));
    }
  }
}

template <class Dot>
void WriteStarts(int64_t count, DigitVector& to) {
  const D d;
  const auto step = 4 * static_cast<int64_t>(hn::Lanes(d));
  for (size_t i = 0; i < to.digits.size(); ++i) {
    Words sum = hn::Zero(d);
    for (int64_t j = 0; j < count; j += step) {
      sum = Dot::Add(sum, Offsets(), LoadWords(to.digits[i] + j));
    }
    hn::StoreU(hn::Neg(sum), d, to.starts[i].data());
  }
}

template <class Dot>
HWY_INLINE void Rows(const NarrowMatrix& w, const DigitVector& x, int64_t begin, int64_t end,
                     float* HWY_RESTRICT y) {
  const D d;
  const DF df;
  const auto step = 4 * static_cast<int64_t>(hn::Lanes(d));
  const int64_t stride = w.stride();
  const auto [low, middle, high] = x.digits;
  const float* HWY_RESTRICT scales = w.scales();
  for (int64_t i = begin; i < end; ++i) {
    const auto* row = reinterpret_cast<const uint8_t*>(w.memory) + i * stride;
    Words a = LoadWords(x.starts[0].data()), b = LoadWords(x.starts[1].data());
    Words c = LoadWords(x.starts[2].data());
    for (int64_t j = 0; j < stride; j += step) {
      PrefetchStream(row + j + kStreamAhead);
      const Words bytes = hn::Xor(LoadWords(row + j), Offsets());
      a = Dot::Add(a, bytes, LoadWords(low + j));
      b = Dot::Add(b, bytes, LoadWords(middle + j));
      c = Dot::Add(c, bytes, LoadWords(high + j));
    }
    const auto upper = hn::MulAdd(hn::ConvertTo(df, c), hn::Set(df, 256.0f), hn::ConvertTo(df, b));
    const auto sum = hn::MulAdd(upper, hn::Set(df, 256.0f), hn::ConvertTo(df, a));
    y[i] = scales[i] * (x.unit * hn::GetLane(hn::SumOfLanes(df, sum)));
  }
}

void Start(int64_t count, DigitVector& to) {
#if HWY_TARGET == HWY_AVX3
  if (HasDot()) return WriteStarts<DotInstruction>(count, to);
#endif
  WriteStarts<DotWidened>(count, to);
}

bool Convert(int64_t count, const float* HWY_RESTRICT x, DigitVector& to) {
  constexpr float kLeast = 0x1p-100F, kMost = 0x1p127F;
  const auto largest = std::bit_cast<float>(LargestBits(count, x));
  if (!(largest > kLeast && largest < kMost)) return false;
  // Three digits reach to 127 (1 + 256 + 65536), a little less than 2^23.
  constexpr float kMargin = 1.01F;
  const int32_t exponent = (std::bit_cast<int32_t>(kMargin * largest) >> 23) - 127;
  const auto power = [](int32_t of_two) { return std::bit_cast<float>((of_two + 127) << 23); };
  to.unit = power(exponent - 22);
  WriteDigits(count, x, power(22 - exponent), to);
  Start(count, to);
  return true;
}

void Multiply(const NarrowMatrix& w, const DigitVector& x, int64_t begin, int64_t end,
              float* HWY_RESTRICT y) {
#if HWY_TARGET == HWY_AVX3
  if (HasDot()) return Rows<DotInstruction>(w, x, begin, end, y);
#endif
  Rows<DotWidened>(w, x, begin, end, y);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {
HWY_EXPORT(Convert);
HWY_EXPORT(Multiply);
}  // namespace

bool ToDigits(int64_t count, const float* x, DigitVector& to) {
  return HWY_DYNAMIC_DISPATCH(Convert)(count, x, to);
}

void MultiplyDigits(const NarrowMatrix& w, const DigitVector& x, int64_t begin, int64_t end,
                    float* y) {
  HWY_DYNAMIC_DISPATCH(Multiply)(w, x, begin, end, y);
}

}  // namespace millwright::math
#endif  // HWY_ONCE
