#include "app/dashboard/terminal/axis.h"

#include <gmock/gmock.h>

#include <cmath>

namespace millwright::app::dashboard {
namespace {

using ::testing::ElementsAre;

TEST(Axis, RangeHasAMargin) {
  const Range range = RangeOf({2, 4, std::nan(""), 3});
  EXPECT_DOUBLE_EQ(range.low, 1.9);
  EXPECT_DOUBLE_EQ(range.high, 4.1);
}

TEST(Axis, RangeOfEqualOrNoValuesIsNotEmpty) {
  for (const auto& values : {std::vector<double>{}, {0.0}, {5, 5, 5}, {INFINITY}, {-1e-9}}) {
    EXPECT_GT(RangeOf(values).span(), 0);
  }
}

TEST(Axis, ASpikeDoesNotFlattenTheRest) {
  std::vector<double> values(101, 1e4);
  for (size_t i = 0; i < 100; ++i) values[i] = 2 + 0.01 * static_cast<double>(i);
  EXPECT_LT(RangeOf(values).high, 5);
  // What is spread evenly is all shown.
  values.back() = 4;
  EXPECT_GT(RangeOf(values).high, 4);
}

TEST(Axis, TicksAreRound) {
  EXPECT_THAT(NiceTicks({1.9, 4.1}, 5), ElementsAre(2, 2.5, 3, 3.5, 4));
  EXPECT_THAT(NiceTicks({1.9, 4.1}, 3), ElementsAre(2, 3, 4));
  EXPECT_THAT(NiceTicks({0, 1200}, 4), ElementsAre(0, 500, 1000));
  EXPECT_TRUE(NiceTicks({0, 1}, 0).empty());
  EXPECT_TRUE(NiceTicks({1, 1}, 3).empty());
}

TEST(Axis, TicksKeepToTheirNumberAndRange) {
  for (const double scale : {1e-7, 0.03, 1.0, 7.0, 4e5}) {
    for (int most = 1; most < 12; ++most) {
      const Range range{-0.3 * scale, 2.9 * scale};
      const auto ticks = NiceTicks(range, most);
      EXPECT_LE(ticks.size(), static_cast<size_t>(most));
      EXPECT_GE(ticks.size() * 5, static_cast<size_t>(most));
      for (const double tick : ticks) {
        EXPECT_GE(tick, range.low);
        EXPECT_LE(tick, range.high);
      }
    }
  }
}

TEST(Axis, LabelsTellTicksApart) {
  EXPECT_EQ(TickLabel(2.5, 0.5), "2.5");
  EXPECT_EQ(TickLabel(3, 1), "3");
  EXPECT_EQ(TickLabel(0.25, 0.05), "0.25");
  EXPECT_EQ(TickLabel(20000, 5000), "20k");
  EXPECT_EQ(TickLabel(1e-17, 0.1), "0");
  EXPECT_EQ(TickLabel(3e-4, 1e-4), "0.0003");
}

TEST(Axis, NumbersAreShort) {
  EXPECT_EQ(ShortNumber(4.2314), "4.231");
  EXPECT_EQ(ShortNumber(3e-4), "0.0003");
  EXPECT_EQ(ShortNumber(9.123e-5), "9.1e-05");
  EXPECT_EQ(ShortNumber(12345), "12.3k");
  EXPECT_EQ(ShortNumber(1200), "1200");
  EXPECT_EQ(ShortNumber(std::nan("")), "NaN");
  for (double value = 1e-12; value < 1e12; value *= 1.7) {
    EXPECT_LE(ShortNumber(value).size(), 7u) << value;
  }
}

}  // namespace
}  // namespace millwright::app::dashboard
