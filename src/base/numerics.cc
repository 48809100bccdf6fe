#include "base/numerics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/ane_arithmetic.h"

namespace millwright {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kDoubleMantissa = 52;

// `value` to a float of `mantissa` fraction bits whose smallest normal exponent is `min_exponent`,
// without an upper limit; ties go to even or away from zero.
template <bool kAwayFromZero>
double RoundMantissa(double value, int mantissa, int min_exponent) {
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  const int exponent = static_cast<int>((bits >> kDoubleMantissa) & 0x7FF) - 1023;
  if (exponent < min_exponent) {
    // Subnormal in the narrow format: its values are the multiples of one fixed step.
    const double step = std::ldexp(1.0, min_exponent - mantissa);
    const double steps = value / step;
    return (kAwayFromZero ? std::round(steps) : std::nearbyint(steps)) * step;
  }
  const int drop = kDoubleMantissa - mantissa;
  const uint64_t half = uint64_t{1} << (drop - 1);
  const uint64_t bias = kAwayFromZero ? half : half - 1 + ((bits >> drop) & 1);
  return std::bit_cast<double>((bits + bias) & ~((uint64_t{1} << drop) - 1));
}

template <bool kAwayFromZero>
double RoundFloat(double value, DType dtype) {
  if (!std::isfinite(value)) return value;
  double rounded = value;
  double limit = std::numeric_limits<double>::max();
  switch (dtype) {
    case DType::kFp16:
      rounded = RoundMantissa<kAwayFromZero>(value, 10, -14);
      limit = 65504.0;
      break;
    case DType::kBf16:
      rounded = RoundMantissa<kAwayFromZero>(value, 7, -126);
      limit = 0x1.FEp127;
      break;
    case DType::kFp32:
      rounded = RoundMantissa<kAwayFromZero>(value, 23, -126);
      limit = static_cast<double>(std::numeric_limits<float>::max());
      break;
    default:
      break;
  }
  return std::fabs(rounded) > limit ? std::copysign(kInfinity, rounded) : rounded;
}

// -0 becomes +0 (E14).
double DropSignOfZero(double value) { return value + 0.0; }

double RoundInteger(double value, double low, double high) {
  if (std::isnan(value)) return 0.0;
  return DropSignOfZero(std::clamp(std::nearbyint(value), low, high));
}

template <class T>
double RoundTo(double value) {
  return RoundInteger(value, static_cast<double>(std::numeric_limits<T>::lowest()),
                      static_cast<double>(std::numeric_limits<T>::max()));
}

}  // namespace

std::string_view PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kExact:
      return "exact";
    case Precision::kFp32:
      return "fp32";
    case Precision::kFp16:
      return "fp16";
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
    case Precision::kAne:
      return "ane";
  }
  return "unknown";
}

bool HasRoundedProducts(Precision precision) {
  return precision == Precision::kBf16 || precision == Precision::kInt8;
}

double Numerics::Round(double value, DType dtype) const {
  switch (dtype) {
    case DType::kFp16:
    case DType::kBf16:
    case DType::kFp32:
    case DType::kFp64:
      break;
    case DType::kInt8:
      return RoundTo<int8_t>(value);
    case DType::kUint8:
      return RoundTo<uint8_t>(value);
    case DType::kInt16:
      return RoundTo<int16_t>(value);
    case DType::kUint16:
      return RoundTo<uint16_t>(value);
    case DType::kInt32:
      return RoundTo<int32_t>(value);
    case DType::kUint64:
      return RoundTo<uint64_t>(value);
    case DType::kUint32:
      return RoundTo<uint32_t>(value);
    case DType::kInt4:
      return RoundInteger(value, -8.0, 7.0);
    case DType::kUint4:
    case DType::kUint1:
    case DType::kUint2:
    case DType::kUint3:
    case DType::kUint6:
      return RoundInteger(value, 0.0, std::ldexp(1.0, static_cast<int>(DTypeBits(dtype))) - 1.0);
    case DType::kBool:
      return value != 0.0 ? 1.0 : 0.0;
    case DType::kString:
      return value;
  }
  switch (precision_) {
    case Precision::kExact:
      return value;
    case Precision::kFp32:
    case Precision::kBf16:
    case Precision::kInt8:
      return static_cast<double>(static_cast<float>(value));
    case Precision::kFp16:
      return RoundFloat<false>(value, dtype);
    case Precision::kAne: {
      const bool away = rules_.Has(AneRule::kRoundAway);
      const double rounded =
          away ? RoundFloat<true>(value, dtype) : RoundFloat<false>(value, dtype);
      return rules_.Has(AneRule::kPositiveZero) ? DropSignOfZero(rounded) : rounded;
    }
  }
  return value;
}

double Numerics::Operand(double value) const {
  return Follows(AneRule::kDecode) ? AneOperand(value) : value;
}

double Numerics::AneDot(const double* a, ptrdiff_t stride_a, const double* b, ptrdiff_t stride_b,
                        size_t count) const {
  const bool fixed = rules_.Has(AneRule::kFixedPoint);
  const bool vanish = rules_.Has(AneRule::kVanish);
  const bool sticky = rules_.Has(AneRule::kSticky);
  // Multiples of 2^-16 below 2^15: exact in double.
  double sum = 0.0;
  for (size_t k = 0; k < count; ++k, a += stride_a, b += stride_b) {
    const double x = Operand(*a), y = Operand(*b);
    if (vanish && AneExponent(x) + AneExponent(y) <= kAneVanishingExponent) continue;
    const double product = x * y;
    sum += fixed ? std::round(product * kAneFixedOne) / kAneFixedOne : product;
    if (sticky && std::fabs(sum) >= kAneSumLimit) return std::copysign(kInfinity, sum);
  }
  return AneSumResult(sum, rules_);
}

double Numerics::Dot(const double* a, ptrdiff_t stride_a, const double* b, ptrdiff_t stride_b,
                     size_t count) const {
  if (precision_ == Precision::kAne) return AneDot(a, stride_a, b, stride_b, count);
  double sum = 0.0;
  for (size_t k = 0; k < count; ++k, a += stride_a, b += stride_b) sum += *a * *b;
  return sum;
}

double Numerics::Sum(const double* a, ptrdiff_t stride, size_t count) const {
  const bool narrow = Follows(AneRule::kNarrowSum);
  double sum = 0.0;
  for (size_t k = 0; k < count; ++k, a += stride) {
    sum += Operand(*a);
    if (narrow) sum = Round(sum, DType::kFp16);
  }
  return sum;
}

}  // namespace millwright
