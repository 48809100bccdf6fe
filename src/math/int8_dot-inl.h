// Sums of four products of 8-bit numbers, for the instruction set that is being compiled.
#if defined(MILLWRIGHT_MATH_INT8_DOT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MILLWRIGHT_MATH_INT8_DOT_INL
#undef MILLWRIGHT_MATH_INT8_DOT_INL
#else
#define MILLWRIGHT_MATH_INT8_DOT_INL
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {

// Words of four bytes.
using WordsTag = hwy::HWY_NAMESPACE::ScalableTag<int32_t>;
using Words = hwy::HWY_NAMESPACE::Vec<WordsTag>;

// Whether this target's code holds the instruction, and the CPU has it.
inline bool HasDot() {
#if HWY_TARGET == HWY_AVX3
  static const bool has = __builtin_cpu_supports("avx512vnni") != 0;
  return has;
#else
  return false;
#endif
}

#if HWY_TARGET == HWY_AVX3
// sum[i] + the four products of the unsigned bytes of x[i] and the signed bytes of w[i].
struct DotInstruction {
  static HWY_INLINE Words Add(Words sum, Words x, Words w) {
    // By hand: g++ 12 keeps copies of the sums on the stack around the intrinsic, at half the
    // speed; and Highway 1.0.3 has no target with this instruction.
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(x.raw), "v"(w.raw));
    return sum;
  }
};
#endif

// The same from what every CPU has: the bytes widened to 16 or 32 bits.
struct DotWidened {
  static HWY_INLINE Words Add(Words sum, Words x, Words w) {
    namespace hn = hwy::HWY_NAMESPACE;
    const WordsTag d;
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
    // On x86 both products of a 32-bit lane are added within it.
    const hn::Repartition<int16_t, WordsTag> d16;
    const hn::Repartition<uint16_t, WordsTag> du16;
    const auto x16 = hn::BitCast(du16, x);
    const auto w16 = hn::BitCast(d16, w);
    Words unused = hn::Zero(d);
    sum = hn::ReorderWidenMulAccumulate(
        d, hn::BitCast(d16, hn::And(x16, hn::Set(du16, uint16_t{0xFF}))),
        hn::ShiftRight<8>(hn::ShiftLeft<8>(w16)), sum, unused);
    return hn::ReorderWidenMulAccumulate(d, hn::BitCast(d16, hn::ShiftRight<8>(x16)),
                                         hn::ShiftRight<8>(w16), sum, unused);
#else
    const auto byte = hn::Set(d, 0xFF);
    const auto add = [&](Words xs, Words ws) HWY_ATTR {
      sum = hn::Add(sum, hn::Mul(hn::And(xs, byte), hn::ShiftRight<24>(ws)));
    };
    add(x, hn::ShiftLeft<24>(w));
    add(hn::ShiftRight<8>(x), hn::ShiftLeft<16>(w));
    add(hn::ShiftRight<16>(x), hn::ShiftLeft<8>(w));
    add(hn::ShiftRight<24>(x), w);
    return sum;
#endif
  }
};

HWY_INLINE Words LoadWords(const void* from) {
  return hwy::HWY_NAMESPACE::LoadU(WordsTag(), static_cast<const int32_t*>(from));
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#endif  // per target
