// Vectors of floats that lie in memory as bf16. For each of Highway's targets: include it after
// hwy/highway.h, outside of any namespace.
#if defined(MILLWRIGHT_MATH_BF16_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MILLWRIGHT_MATH_BF16_INL_H
#undef MILLWRIGHT_MATH_BF16_INL_H
#else
#define MILLWRIGHT_MATH_BF16_INL_H
#endif

#include "base/dtype.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> LoadBf16(D d, const Bf16* from) {
  const hn::RebindToUnsigned<D> bits;
  const hn::Rebind<uint16_t, D> half;
  const auto x = hn::LoadU(half, reinterpret_cast<const uint16_t*>(from));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(bits, x)));
}

// Rounded to nearest even, as ToBf16 of base/dtype.h does.
template <class D>
HWY_INLINE void StoreBf16(D d, hn::Vec<D> value, Bf16* to) {
  const hn::RebindToUnsigned<D> bits;
  const hn::Rebind<uint16_t, D> half;
  const auto x = hn::BitCast(bits, value);
  const auto upper = hn::ShiftRight<16>(x);
  const auto round = hn::Add(hn::Set(bits, 0x7FFFu), hn::And(upper, hn::Set(bits, 1u)));
  const auto nan = hn::Or(upper, hn::Set(bits, 0x40u));
  const auto result = hn::IfThenElse(hn::RebindMask(bits, hn::IsNaN(value)), nan,
                                     hn::ShiftRight<16>(hn::Add(x, round)));
  hn::StoreU(hn::TruncateTo(half, result), half, reinterpret_cast<uint16_t*>(to));
  (void)d;
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();
#endif  // MILLWRIGHT_MATH_BF16_INL_H
