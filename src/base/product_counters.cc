#include "base/product_counters.h"

#include <array>
#include <cmath>

#include "base/ane_arithmetic.h"

namespace millwright {
namespace {

// How many numbers of a row or column have which exponent, from the smallest that an operand can
// have up; zeros are left out.
constexpr int kLowest = kAneLowestExponent;
constexpr int kHighest = 17;  // of an operand that was no number
constexpr size_t kBins = kHighest - kLowest + 1;

template <class T>
std::array<uint64_t, kBins> CountExponents(const T* values, int64_t count, int64_t stride) {
  std::array<uint64_t, kBins> bins = {};
  for (int64_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(values[i * stride]);
    if (value == 0.0) continue;
    const int exponent = std::min(AneExponent(AneOperand(value)), kHighest);
    ++bins[static_cast<size_t>(exponent - kLowest)];
  }
  return bins;
}

}  // namespace

template <class T>
ProductCounts CountProducts(const T* a, const T* b, const T* c, int64_t m, int64_t n, int64_t k) {
  ProductCounts counts;
  for (int64_t p = 0; p < k; ++p) {
    const auto left = CountExponents(a + p, m, k);
    const auto right = CountExponents(b + p * n, n, 1);
    for (size_t i = 0; i < kBins; ++i) {
      for (size_t j = 0; j < kBins; ++j) {
        const uint64_t pairs = left[i] * right[j];
        counts.products += pairs;
        const int exponents = static_cast<int>(i + j) + 2 * kLowest;
        if (exponents <= kAneVanishingExponent) counts.vanished += pairs;
      }
    }
  }
  counts.sums = static_cast<uint64_t>(m * n);
  for (int64_t i = 0; i < m * n; ++i) counts.saturated += !std::isfinite(c[i]);
  return counts;
}

template ProductCounts CountProducts(const float*, const float*, const float*, int64_t, int64_t,
                                     int64_t);
template ProductCounts CountProducts(const double*, const double*, const double*, int64_t, int64_t,
                                     int64_t);

}  // namespace millwright
