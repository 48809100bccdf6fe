#include "base/tolerance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace millwright {
namespace {

TEST(ToleranceTest, UnitRoundoffIsHalfTheGapAtOne) {
  EXPECT_EQ(UnitRoundoff(DType::kFp32), std::numeric_limits<float>::epsilon() / 2);
  EXPECT_EQ(UnitRoundoff(DType::kFp64), std::numeric_limits<double>::epsilon() / 2);
  EXPECT_EQ(UnitRoundoff(DType::kFp16), (ToFloat(Fp16{0x3C01}) - 1.0f) / 2);
  EXPECT_EQ(UnitRoundoff(DType::kBf16), (ToFloat(Bf16{0x3F81}) - 1.0f) / 2);
  EXPECT_EQ(SmallestPositive(DType::kFp16), ToFloat(Fp16{1}));
  EXPECT_EQ(SmallestPositive(DType::kBf16), ToFloat(Bf16{1}));
  EXPECT_EQ(SmallestPositive(DType::kFp32), std::numeric_limits<float>::denorm_min());
}

TEST(ToleranceTest, GammaGrowsWithTheNumberOfRoundings) {
  EXPECT_GE(Gamma(DType::kFp32, 10), 10 * UnitRoundoff(DType::kFp32));
  EXPECT_LT(Gamma(DType::kFp32, 10), 10.001 * UnitRoundoff(DType::kFp32));
  EXPECT_TRUE(std::isinf(Gamma(DType::kFp16, 2048)));
}

TEST(ToleranceTest, ADotProductStaysInsideAndAWrongOneDoesNot) {
  std::vector<float> a, b;
  for (int i = 0; i < 1000; ++i) {
    a.push_back(std::sin(static_cast<float>(i)));
    b.push_back(std::cos(1.7f * static_cast<float>(i)));
  }
  float narrow = 0;
  double exact = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    narrow += a[i] * b[i];
    exact += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  const double limit = DotTolerance(DType::kFp32, 1000, Norm2(std::span<const float>(a)),
                                    Norm2(std::span<const float>(b)));
  EXPECT_LE(std::fabs(narrow - exact), limit);
  EXPECT_GT(std::fabs(narrow - a[17] * b[17] - exact), limit);  // one term left out
}

TEST(ToleranceTest, AnInt8ProductStaysInsideAndAWrongOneDoesNot) {
  std::vector<double> a, b;
  for (int i = 0; i < 60; ++i) {
    a.push_back(std::sin(i));
    b.push_back(std::sin(i + 0.5));
  }
  const auto rounded = [](const std::vector<double>& x) {
    double most = 0;
    for (const double value : x) most = std::max(most, std::fabs(value));
    std::vector<double> result;
    for (const double value : x) result.push_back(std::nearbyint(value * 127 / most) * most / 127);
    return result;
  };
  const auto dot = [](const std::vector<double>& x, const std::vector<double>& y) {
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
    return sum;
  };
  const double exact = dot(a, b), bound = Int8DotTolerance(a, b);
  EXPECT_LE(std::fabs(dot(rounded(a), rounded(b)) - exact), bound);
  std::vector<double> short_of_one = a;
  short_of_one[1] = 0;
  EXPECT_GT(std::fabs(dot(short_of_one, b) - exact), bound);
}

TEST(ToleranceTest, UlpDistanceCountsNeighbours) {
  EXPECT_EQ(UlpDistance(1.0f, std::nextafter(1.0f, 2.0f)), 1);
  EXPECT_EQ(UlpDistance(0.0f, -0.0f), 0);
  EXPECT_EQ(UlpDistance(-std::numeric_limits<float>::denorm_min(),
                        std::numeric_limits<float>::denorm_min()),
            2);
  EXPECT_EQ(UlpDistance(Fp16{0x3C00}, Fp16{0x3C05}), 5);
  EXPECT_EQ(UlpDistance(1.0, std::nextafter(1.0, 0.0)), 1);
  EXPECT_EQ(UlpDistance(1.0f, std::nanf("")), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(UlpDistance(std::nan(""), std::nan("")), 0);
  EXPECT_EQ(UlpDistance(-HUGE_VAL, HUGE_VAL), std::numeric_limits<int64_t>::max());
}

TEST(ToleranceTest, ErrorsAreRelative) {
  EXPECT_DOUBLE_EQ(RelativeError(1.1, 1.0), 0.1 + (1.1 - 1.0 - 0.1));
  EXPECT_DOUBLE_EQ(RelativeError(0.5, 0.0, 2.0), 0.25);
  const std::vector<double> expected = {3, 4}, actual = {3, 4.5};
  EXPECT_DOUBLE_EQ((NormError(actual, expected)), 0.1);
  EXPECT_TRUE(std::isnan(NormError(std::vector<double>{1}, expected)));
}

TEST(ToleranceTest, CompareReportsTheWorstElement) {
  const std::vector<float> actual = {1.0f, 2.5f, 3.25f};
  const std::vector<double> expected = {1, 2, 3};
  const Comparison found = Compare(actual, expected, {0.3, 0.0});
  EXPECT_FALSE(found.ok);
  EXPECT_EQ(found.failures, 1u);
  EXPECT_EQ(found.worst_index, 1u);
  EXPECT_EQ(found.Message(), "1 of 3 differ; worst at [1]: 2.5 for 2, error 0.5, tolerance 0.3");
  EXPECT_TRUE(Compare(actual, expected, {0.0, 0.25}).ok);
}

TEST(ToleranceTest, NothingPassesByBeingNanInfiniteOrAbsent) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const auto passes = [](double a, double e) {
    return Compare(std::vector<double>{a}, std::vector<double>{e}, {1e300, 1.0}).ok;
  };
  EXPECT_TRUE(passes(nan, nan));
  EXPECT_TRUE(passes(inf, inf));
  EXPECT_FALSE(passes(nan, 1));
  EXPECT_FALSE(passes(1, nan));
  EXPECT_FALSE(passes(inf, -inf));
  EXPECT_FALSE(passes(1, inf));
  EXPECT_FALSE(passes(inf, 1));
  EXPECT_FALSE(Compare(std::vector<double>{1}, std::vector<double>{1, 2}, {1, 1}).ok);
}

}  // namespace
}  // namespace millwright
