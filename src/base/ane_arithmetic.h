// The numbers of the ANE's product-and-sum unit (facts E1 and E13), shared by its scalar definition
// (numerics.cc), the vector form (math/ane_gemm.h) and the counters.
//
// Source: 751K/Apple-Neural-Engine-Microarchitecture-Study-M6, notes/numerics.md, measured on an M6
// and an M4.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/ane_rules.h"

namespace millwright {

// The sum is a 32-bit fixed point number with 16 fraction bits.
inline constexpr double kAneFixedOne = 65536.0;
// A sum of this magnitude is infinite.
inline constexpr double kAneSumLimit = 32768.0;
// A product whose operands' exponents sum to this or less is dropped, whatever its mantissa.
inline constexpr int kAneVanishingExponent = -17;
// The exponent that a subnormal fp16 counts with.
inline constexpr int kAneLowestExponent = -14;
// What would round to 32768 in fp16 (E2).
inline constexpr double kAneOutputLimit = 32760.0;
// What an infinity and a NaN count as: the exponent field 31 is taken for an ordinary one.
inline constexpr double kAneInfinityOperand = 65536.0;
inline constexpr double kAneNanOperand = 1.5 * 65536.0;

// Below this, log and rsqrt of fp16 numbers are infinite (E9). Source: AmiraniLabs/libane, measured
// on an M3 Pro.
inline constexpr double kAneSmallestArgument = 0x1.0cp-17;

// log2 of the magnitude rounded down, as the multiplier sees it; of 0 the lowest.
inline int AneExponent(double value) {
  const auto biased = static_cast<int>((std::bit_cast<uint64_t>(value) >> 52) & 0x7FF);
  return std::max(biased - 1023, kAneLowestExponent);
}

// The number that an operand counts as (E13). A NaN is taken for the usual one, 0x7E00.
inline double AneOperand(double value) {
  if (std::isfinite(value)) return value;
  return std::copysign(std::isnan(value) ? kAneNanOperand : kAneInfinityOperand, value);
}

// A sum of products as it leaves the accumulator: infinite from the limit that holds on. NaN stays.
inline double AneSumResult(double sum, const AneRules& rules) {
  const bool fixed = rules.Has(AneRule::kFixedPoint) && std::fabs(sum) >= kAneSumLimit;
  const bool limited = rules.Has(AneRule::kOutputLimit) && std::fabs(sum) >= kAneOutputLimit;
  if (!fixed && !limited) return sum;
  return std::copysign(std::numeric_limits<double>::infinity(), sum);
}

}  // namespace millwright
