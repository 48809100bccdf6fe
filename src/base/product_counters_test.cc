#include "base/product_counters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/ane_arithmetic.h"
#include "base/numerics.h"

namespace millwright {
namespace {

const Numerics kOnAne(Precision::kAne);

TEST(ProductCountersTest, CountsAProductByHand) {
  // 2^-9 * 2^-8 vanishes, 2^-8 * 2^-8 does not, 0 * x is no product; 256 * 256 overflows.
  const std::vector<double> a = {0x1p-9, 0, 0x1p-8, 256};  // [2, 2]
  const std::vector<double> b = {0x1p-8, 256};             // [2, 1]
  const std::vector<double> c = {kOnAne.Dot(a.data(), 1, b.data(), 1, 2),
                                 kOnAne.Dot(a.data() + 2, 1, b.data(), 1, 2)};
  EXPECT_EQ(c[0], 0.0);
  const ProductCounts counts = CountProducts(a.data(), b.data(), c.data(), 2, 1, 2);
  EXPECT_EQ(counts, (ProductCounts{.products = 3, .vanished = 1, .sums = 2, .saturated = 1}));
}

TEST(ProductCountersTest, AgreesWithTryingEveryPair) {
  std::mt19937_64 rng(5);
  std::uniform_int_distribution<int> exponent(-26, 14), zero(0, 9);
  const auto fill = [&](size_t count) {
    std::vector<float> values(count);
    for (float& v : values) v = zero(rng) == 0 ? 0.0f : std::ldexp(1.5f, exponent(rng));
    return values;
  };
  const int64_t m = 7, n = 5, k = 33;
  const auto a = fill(m * k), b = fill(k * n);
  std::vector<float> c(m * n, 0.0f);
  c[3] = INFINITY;
  ProductCounts expected{.products = 0, .vanished = 0, .sums = m * n, .saturated = 1};
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t p = 0; p < k; ++p) {
        const double x = a[static_cast<size_t>(i * k + p)], y = b[static_cast<size_t>(p * n + j)];
        if (x == 0 || y == 0) continue;
        ++expected.products;
        expected.vanished += AneExponent(x) + AneExponent(y) <= kAneVanishingExponent;
      }
    }
  }
  EXPECT_GT(expected.vanished, 0u);
  EXPECT_LT(expected.vanished, expected.products);
  EXPECT_EQ(CountProducts(a.data(), b.data(), c.data(), m, n, k), expected);
}

TEST(ProductCountersTest, AddsUpAndSubtracts) {
  ProductCounters counters;
  const ProductCounts one{.products = 4, .vanished = 3, .sums = 2, .saturated = 1};
  counters.Add(one);
  const ProductCounts before = counters.Read();
  counters.Add(one);
  EXPECT_EQ(counters.Read() - before, one);
  ProductCounts two = one;
  two += one;
  EXPECT_EQ(counters.Read(), two);
}

}  // namespace
}  // namespace millwright
