#include "math/peak.h"

#include <gtest/gtest.h>

#include "base/threads.h"

namespace millwright::math {
namespace {

// One core issues at most two 512-bit multiply-adds a cycle, 64 operations, at less than 7 GHz; a
// larger figure means that the compiler did away with the chains.
TEST(PeakTest, FmaRateIsPossible) {
  const FmaRate rate = MeasureFmaRate(0.05);
  EXPECT_GT(rate.mean, 0.1);
  EXPECT_GE(rate.best, rate.mean);
  EXPECT_LT(rate.best, 64 * 7.0 * GetThreads());
}

TEST(PeakTest, ReadBandwidthIsPositive) { EXPECT_GT(MeasureReadBandwidth(0.0), 0.1); }

}  // namespace
}  // namespace millwright::math
