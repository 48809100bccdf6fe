#include "base/tolerance.h"

#include <fmt/format.h>

#include <bit>
#include <limits>

namespace millwright {
namespace {

// Maps the bit pattern of a float onto an integer line on which neighbours differ by one.
template <class Int>
int64_t Line(Int bits, Int sign) {
  return (bits & sign) != 0 ? -static_cast<int64_t>(bits & static_cast<Int>(~sign))
                            : static_cast<int64_t>(bits);
}

int64_t LineDistance(bool nan_a, bool nan_b, int64_t a, int64_t b) {
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max();
  if (nan_a || nan_b) return nan_a && nan_b ? 0 : kFar;
  const uint64_t distance = a > b ? static_cast<uint64_t>(a) - static_cast<uint64_t>(b)
                                  : static_cast<uint64_t>(b) - static_cast<uint64_t>(a);
  return distance > static_cast<uint64_t>(kFar) ? kFar : static_cast<int64_t>(distance);
}

}  // namespace

double UnitRoundoff(DType dtype) {
  switch (dtype) {
    case DType::kFp16:
      return 0x1p-11;
    case DType::kBf16:
      return 0x1p-8;
    case DType::kFp32:
      return 0x1p-24;
    case DType::kFp64:
      return 0x1p-53;
    default:
      return 0.0;
  }
}

double SmallestPositive(DType dtype) {
  switch (dtype) {
    case DType::kFp16:
      return 0x1p-24;
    case DType::kBf16:
      return 0x1p-133;
    case DType::kFp32:
      return 0x1p-149;
    case DType::kFp64:
      return 0x1p-1074;
    default:
      return 0.0;
  }
}

double Gamma(DType dtype, int64_t n) {
  const double product = static_cast<double>(n) * UnitRoundoff(dtype);
  return product < 1 ? product / (1 - product) : std::numeric_limits<double>::infinity();
}

double DotTolerance(DType dtype, int64_t k, double norm_a, double norm_b) {
  return Gamma(dtype, k + 2) * norm_a * norm_b +
         static_cast<double>(k + 2) * SmallestPositive(dtype);
}

double SumTolerance(DType dtype, int64_t k, double sum_of_magnitudes) {
  return Gamma(dtype, k) * sum_of_magnitudes;
}

double Int8Step(double absmax) { return absmax / 127 * (0.5 + 127 * Gamma(DType::kFp32, 4)); }

double Int8DotTolerance(std::span<const double> a, std::span<const double> b) {
  double sum_a = 0, sum_b = 0, most_a = 0, most_b = 0, products = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum_a += std::fabs(a[i]);
    sum_b += std::fabs(b[i]);
    most_a = std::max(most_a, std::fabs(a[i]));
    most_b = std::max(most_b, std::fabs(b[i]));
    products += std::fabs(a[i] * b[i]);
  }
  const double step_a = Int8Step(most_a), step_b = Int8Step(most_b);
  const double rounding =
      sum_a * step_b + sum_b * step_a + static_cast<double>(a.size()) * step_a * step_b;
  return rounding + Gamma(DType::kFp32, 4) * (products + rounding);
}

double RelativeError(double actual, double expected, double floor) {
  return std::fabs(actual - expected) / std::max(std::fabs(expected), floor);
}

int64_t UlpDistance(float a, float b) {
  return LineDistance(std::isnan(a), std::isnan(b), Line(std::bit_cast<uint32_t>(a), 0x80000000u),
                      Line(std::bit_cast<uint32_t>(b), 0x80000000u));
}

int64_t UlpDistance(double a, double b) {
  constexpr uint64_t kSign = 0x8000000000000000u;
  return LineDistance(std::isnan(a), std::isnan(b), Line(std::bit_cast<uint64_t>(a), kSign),
                      Line(std::bit_cast<uint64_t>(b), kSign));
}

int64_t UlpDistance(Fp16 a, Fp16 b) {
  return LineDistance(std::isnan(ToFloat(a)), std::isnan(ToFloat(b)),
                      Line(uint32_t{a.bits}, 0x8000u), Line(uint32_t{b.bits}, 0x8000u));
}

void Comparison::Add(size_t index, double actual_value, double expected_value,
                     const Tolerance& limits) {
  ++size;
  const bool same =
      actual_value == expected_value || (std::isnan(actual_value) && std::isnan(expected_value));
  const double difference = same ? 0.0 : std::fabs(actual_value - expected_value);
  const double limit = limits.For(expected_value);
  // An infinite or NaN value that is not the same has no finite error, whatever the limit.
  const bool passes =
      same || (std::isfinite(actual_value) && std::isfinite(expected_value) && difference <= limit);
  if (!passes) {
    ok = false;
    ++failures;
  }
  double share = 0;
  if (!same) share = difference / std::max(limit, std::numeric_limits<double>::min());
  if (std::isnan(share)) share = std::numeric_limits<double>::infinity();
  if (share <= worst_share_) return;
  worst_share_ = share;
  worst_index = index;
  actual = actual_value;
  expected = expected_value;
  error = difference;
  tolerance = limit;
}

std::string Comparison::Message() const {
  std::string text;
  if (sizes_differ) {
    text = fmt::format("sizes differ: {} elements, expected {}; ", actual_size, expected_size);
  }
  return text + fmt::format(
                    "{} of {} differ; worst at [{}]: {} for {}, error {:.3g}, tolerance "
                    "{:.3g}",
                    failures, size, worst_index, actual, expected, error, tolerance);
}

}  // namespace millwright
