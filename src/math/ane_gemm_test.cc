#include "math/ane_gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "math/test_support.h"

namespace millwright::math {
namespace {

using testing::OnEachTarget;

const Numerics kAne(Precision::kAne);

// fp16 numbers of every size up to 2^highest, subnormals and zeros among them.
std::vector<float> Halves(int64_t count, int highest, uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::uniform_real_distribution<double> mantissa(-2.0, 2.0);
  std::uniform_int_distribution<int> exponent(-24, highest), zero(0, 15);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) {
    const double value = zero(rng) == 0 ? 0.0 : std::ldexp(mantissa(rng), exponent(rng));
    values.push_back(static_cast<float>(kAne.Round(value, DType::kFp16)));
  }
  return values;
}

// Both forms on each instruction set, bit for bit (NaN never comes out of the default rules).
void ExpectTwins(const Numerics& numerics, int64_t m, int64_t n, int64_t k,
                 const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> expected(static_cast<size_t>(m * n));
  ScalarAneGemm(numerics, m, n, k, a.data(), b.data(), expected.data());
  OnEachTarget([&] {
    std::vector<float> c(expected.size(), 12345.0f);
    AneGemm(numerics, m, n, k, a.data(), b.data(), c.data());
    for (size_t i = 0; i < c.size(); ++i) {
      ASSERT_EQ(c[i], expected[i]) << "element " << i << " of " << m << " x " << n << ", k " << k;
      ASSERT_EQ(std::signbit(c[i]), std::signbit(expected[i]));
    }
  });
}

TEST(AneGemmTest, VectorFormIsTheDefinition) {
  for (const auto& [m, n, k] :
       {std::array<int64_t, 3>{1, 1, 1}, {4, 16, 8}, {5, 33, 37}, {7, 17, 64}, {3, 1, 129}}) {
    for (int highest : {-6, 0, 4}) {
      ExpectTwins(kAne, m, n, k, Halves(m * k, highest, 1), Halves(k * n, highest, 2));
    }
  }
}

// Sums that reach the limit and come back: the vector form has to watch every moment.
TEST(AneGemmTest, SumsThatReachTheLimitStick) {
  const int64_t m = 6, n = 21, k = 90;
  const auto a = Halves(m * k, 9, 3), b = Halves(k * n, 8, 4);
  std::vector<float> c(static_cast<size_t>(m * n));
  AneGemm(kAne, m, n, k, a.data(), b.data(), c.data());
  const auto infinite = std::count_if(c.begin(), c.end(), [](float x) { return std::isinf(x); });
  EXPECT_GT(infinite, 0);
  EXPECT_LT(infinite, m * n);
  ExpectTwins(kAne, m, n, k, a, b);
}

TEST(AneGemmTest, LargestOperandsAreExact) {
  const std::vector<float> a = {65504, -65504, 0.5f, 65504};
  const std::vector<float> b = {0x1p-1f, 0x1p-2f, 65504, 0x1p-24f};
  ExpectTwins(kAne, 1, 1, 4, a, b);
  ExpectTwins(kAne, 4, 1, 1, a, {0x1p-2f});
  ExpectTwins(kAne, 2, 2, 2, a, b);
}

TEST(AneGemmTest, InfinitiesAndNansAreDecoded) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const std::vector<float> a = {inf, 1, nan, -inf, 2, 0};
  const std::vector<float> b = {0.125f, 0, 0.25f, 3, -0.25f, 1};
  ExpectTwins(kAne, 2, 2, 3, a, b);
}

TEST(AneGemmTest, EveryRuleIsFollowed) {
  const int64_t m = 5, n = 18, k = 40;
  for (const AneRuleInfo& info : AllAneRules()) {
    SCOPED_TRACE(info.name);
    const Numerics numerics(Precision::kAne, AneRules().Set(info.rule, !info.on));
    for (int highest : {-4, 3, 9}) {
      ExpectTwins(numerics, m, n, k, Halves(m * k, highest, 5), Halves(k * n, highest, 6));
    }
  }
}

TEST(AneGemmTest, CountsItsProducts) {
  ProductCounters vector, scalar;
  const int64_t m = 5, n = 19, k = 23;
  const auto a = Halves(m * k, 0, 7), b = Halves(k * n, 0, 8);
  std::vector<float> c(static_cast<size_t>(m * n));
  AneGemm(Numerics(Precision::kAne, {}, &vector), m, n, k, a.data(), b.data(), c.data());
  ScalarAneGemm(Numerics(Precision::kAne, {}, &scalar), m, n, k, a.data(), b.data(), c.data());
  EXPECT_EQ(vector.Read(), scalar.Read());
  EXPECT_EQ(vector.Read().sums, 95u);
  EXPECT_GT(vector.Read().vanished, 0u);
}

}  // namespace
}  // namespace millwright::math
