#include "data/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "data/windows.h"

namespace millwright::data {
namespace {

// The value that a chi-square variable of `freedom` degrees exceeds with probability 1e-6. Source:
// Wilson and Hilferty, "The distribution of chi-square", 1931.
double ChiSquareBound(double freedom) {
  constexpr double kNormalQuantile = 4.7534;  // of 1 - 1e-6
  const double spread = 2.0 / (9.0 * freedom);
  return freedom * std::pow(1.0 - spread + kNormalQuantile * std::sqrt(spread), 3.0);
}

TEST(SamplerTest, IsAPureFunctionOfSeedAndStep) {
  const Sampler sampler(42, 100000, 256);
  const int64_t later = sampler.Offset(1000);
  EXPECT_NE(sampler.Offset(0), sampler.Offset(1));
  EXPECT_EQ(Sampler(42, 100000, 256).Offset(1000), later);
  EXPECT_NE(Sampler(43, 100000, 256).Offset(1000), later);
}

TEST(SamplerTest, ReachesEveryOffsetAndNoOther) {
  const Sampler sampler(1, 20, 12);
  std::set<int64_t> seen;
  for (uint64_t step = 0; step < 1000; ++step) seen.insert(sampler.Offset(step));
  EXPECT_EQ(seen, (std::set<int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(Sampler(1, 13, 12).Offset(5), 0);
}

TEST(SamplerTest, IsUniform) {
  constexpr int64_t kBins = 97;
  constexpr int kDraws = 97000;
  for (uint64_t seed : {0u, 1u, 42u}) {
    const Sampler sampler(seed, kBins + 256, 256);
    std::vector<double> counts(kBins);
    for (uint64_t step = 0; step < kDraws; ++step) {
      ++counts[static_cast<size_t>(sampler.Offset(step))];
    }
    constexpr double kExpected = static_cast<double>(kDraws) / kBins;
    double chi_square = 0;
    for (double count : counts) chi_square += (count - kExpected) * (count - kExpected) / kExpected;
    EXPECT_LT(chi_square, ChiSquareBound(kBins - 1)) << seed;
  }
}

TEST(SamplerTest, SuccessiveOffsetsAreIndependent) {
  constexpr int64_t kSide = 8;
  constexpr int kDraws = 64000;
  const Sampler sampler(7, kSide + 16, 16);
  std::vector<double> counts(kSide * kSide);
  for (uint64_t step = 0; step < kDraws; ++step) {
    const int64_t first = sampler.Offset(2 * step);
    ++counts[static_cast<size_t>(first * kSide + sampler.Offset(2 * step + 1))];
  }
  constexpr double kExpected = static_cast<double>(kDraws) / (kSide * kSide);
  double chi_square = 0;
  for (double count : counts) chi_square += (count - kExpected) * (count - kExpected) / kExpected;
  EXPECT_LT(chi_square, ChiSquareBound(kSide * kSide - 1));
}

TEST(WindowsTest, CoverTheDataAndDropAShortEnd) {
  EXPECT_EQ(WindowCount(0, 4), 0);
  EXPECT_EQ(WindowCount(4, 4), 0);
  EXPECT_EQ(WindowCount(5, 4), 1);
  EXPECT_EQ(WindowCount(8, 4), 1);
  EXPECT_EQ(WindowCount(9, 4), 2);
  for (int64_t tokens = 0; tokens < 100; ++tokens) {
    for (int64_t seq = 1; seq < 20; ++seq) {
      const int64_t count = WindowCount(tokens, seq);
      // The last window's last target is a token; one more window's would not be.
      if (count > 0) {
        EXPECT_LT(WindowBegin(count - 1, seq) + seq, tokens);
      }
      EXPECT_GE(WindowBegin(count, seq) + seq, tokens);
    }
  }
}

}  // namespace
}  // namespace millwright::data
