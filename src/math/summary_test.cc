#include "math/summary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/tolerance.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

// Normals with zeros and elements that are not finite among them, and the same element by element.
void CheckSummary(int64_t count) {
  const auto normals = Normals(count, 1);
  Guarded<float> x(As<float>(normals), 1);
  Summary expected;
  for (int64_t i = 0; i < count; ++i) {
    float& value = x.data()[i];
    if (i % 7 == 3) value = i % 2 == 0 ? 0.0f : -0.0f;
    if (i % 11 == 5) value = std::numeric_limits<float>::infinity();
    if (i % 13 == 6) value = -std::nanf("");
    const auto wide = static_cast<double>(value);
    expected.zeros += value == 0 ? 1 : 0;
    if (!std::isfinite(value)) {
      ++expected.not_finite;
    } else {
      expected.squares += wide * wide;
      expected.largest = std::max(expected.largest, std::fabs(wide));
    }
  }
  const Summary summary = Summarize(count, x.data());
  EXPECT_NEAR(summary.squares, expected.squares,
              SumTolerance(DType::kFp64, 2 * count + 2, expected.squares));
  EXPECT_EQ(summary.largest, expected.largest);
  EXPECT_EQ(summary.zeros, expected.zeros);
  EXPECT_EQ(summary.not_finite, expected.not_finite);
  EXPECT_TRUE(x.Intact());
}

TEST(SummaryTest, EveryCountOnEveryTarget) {
  OnEachTarget([] {
    for (int64_t count = 0; count <= 2 * kTwoVectors; ++count) CheckSummary(count);
    CheckSummary(200000);  // several blocks
  });
}

TEST(SummaryTest, BinsHoldTheSampleBetweenItsEnds) {
  std::vector<float> x(1000);
  std::iota(x.begin(), x.end(), -500.0f);
  Bins bins = CountInBins(1000, x.data(), 1000, 10);
  EXPECT_EQ(bins.low, -500);
  EXPECT_EQ(bins.high, 499);
  EXPECT_EQ(bins.counts, std::vector<int64_t>(10, 100));
  bins = CountInBins(1000, x.data(), 100, 4);
  EXPECT_EQ(std::accumulate(bins.counts.begin(), bins.counts.end(), int64_t{0}), 100);
  x[0] = std::nanf("");
  x[999] = std::numeric_limits<float>::infinity();
  bins = CountInBins(1000, x.data(), 1000, 10);
  EXPECT_EQ(bins.low, -499);
  EXPECT_EQ(std::accumulate(bins.counts.begin(), bins.counts.end(), int64_t{0}), 998);
}

TEST(SummaryTest, EqualElementsAreOnePartAndNothingIsNone) {
  const std::vector<float> x(5, 2.5f);
  EXPECT_EQ(CountInBins(5, x.data(), 100, 10).counts, std::vector<int64_t>{5});
  EXPECT_TRUE(CountInBins(0, x.data(), 100, 10).counts.empty());
  const float nan = std::nanf("");
  EXPECT_TRUE(CountInBins(1, &nan, 100, 10).counts.empty());
}

}  // namespace
}  // namespace millwright::math
