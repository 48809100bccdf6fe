#include "app/dashboard/web/step_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"

namespace millwright::app::web {
namespace {

using testing::ElementsAre;
using testing::NanSensitiveFloatEq;
using testing::SizeIs;

const float kNan = std::nanf("");

TEST(StepTable, RowsComeBackAsTheyAre) {
  StepTable table;
  EXPECT_FALSE(table.Append(3, {{"loss", 2.5}, {"lr", 0.125}}));
  EXPECT_FALSE(table.Append(7, {{"loss", 1.5}}));
  const Buckets all = table.Window(0, StepTable::kLast, 10);
  EXPECT_EQ(all.width, 1);
  EXPECT_THAT(all.step, ElementsAre(3, 7));
  EXPECT_THAT(all.columns.at("loss").mean, ElementsAre(2.5f, 1.5f));
  EXPECT_THAT(all.columns.at("loss").low, ElementsAre(2.5f, 1.5f));
  EXPECT_THAT(all.columns.at("lr").mean,
              ElementsAre(NanSensitiveFloatEq(0.125f), NanSensitiveFloatEq(kNan)));
}

TEST(StepTable, AColumnThatComesLaterIsEmptyBefore) {
  StepTable table;
  table.Append(1, {{"a", 1}});
  table.Append(2, {{"b", 2}});
  EXPECT_THAT(table.Window(1, 2, 10).columns.at("b").mean,
              ElementsAre(NanSensitiveFloatEq(kNan), NanSensitiveFloatEq(2)));
}

TEST(StepTable, AStepThatIsDoneAgainTakesTheLaterOnesBack) {
  StepTable table;
  for (int64_t step = 1; step <= 10; ++step) table.Append(step, {{"loss", 100}});
  EXPECT_TRUE(table.Append(6, {{"loss", 1}}));
  EXPECT_FALSE(table.Append(7, {{"loss", 2}}));
  EXPECT_EQ(table.last_step(), 7);
  EXPECT_THAT(table.Window(5, 100, 10).columns.at("loss").mean, ElementsAre(100, 1, 2));
}

TEST(StepTable, NamesChooseColumns) {
  StepTable table;
  table.Append(1, {{"a", 1}, {"b", 2}, {"c", 3}});
  EXPECT_THAT(table.Window(1, 1, 10, {"c", "a", "nothing"}).columns, SizeIs(2));
}

TEST(StepTable, AWindowWithoutRowsIsEmpty) {
  StepTable table;
  EXPECT_THAT(table.Window(0, StepTable::kLast, 10).step, SizeIs(0));
  table.Append(5, {{"a", 1}});
  EXPECT_THAT(table.Window(6, 9, 10).step, SizeIs(0));
  EXPECT_THAT(table.Window(9, 6, 10).step, SizeIs(0));
}

TEST(StepTable, FewRowsFarApartAreNotSummedUp) {
  StepTable table;
  for (int64_t step = 0; step < 10; ++step) table.Append(step * 100000, {{"val", 1}});
  EXPECT_THAT(table.Window(0, StepTable::kLast, 10).step, SizeIs(10));
}

// Whatever the window, a bucket's numbers are those of its rows, and nothing is lost or told twice.
TEST(StepTable, BucketsHoldEveryRowOnce) {
  StepTable table;
  const Rng rng(5, 0);
  std::vector<std::pair<int64_t, float>> rows;
  int64_t step = 0;
  for (uint64_t i = 0; i < 5000; ++i) {
    step += 1 + static_cast<int64_t>(rng.Bits(2 * i) % 3);
    const float value = i % 97 == 0 ? kNan : static_cast<float>(rng.Bits(2 * i + 1) % 1000);
    table.Append(step, {{"v", value}});
    rows.emplace_back(step, value);
  }
  for (const auto& [from, to, most] : {std::tuple<int64_t, int64_t, size_t>{0, step, 100},
                                       {500, 3777, 7},
                                       {1, step, 1},
                                       {100, 103, 1000}}) {
    const Buckets buckets = table.Window(from, to, most);
    EXPECT_LE(buckets.step.size(), most + 1);
    const BucketColumn& v = buckets.columns.at("v");
    size_t bucket = 0;
    for (auto row = rows.begin(); row != rows.end();) {
      if (row->first < from || row->first > to) {
        ++row;
        continue;
      }
      const int64_t index = row->first / buckets.width;
      double sum = 0;
      float low = INFINITY, high = -INFINITY, count = 0;
      for (; row != rows.end() && row->first <= to && row->first / buckets.width == index; ++row) {
        if (std::isnan(row->second)) continue;
        sum += row->second;
        count += 1;
        low = std::min(low, row->second);
        high = std::max(high, row->second);
      }
      ASSERT_LT(bucket, buckets.step.size());
      EXPECT_EQ(buckets.step[bucket] / buckets.width, index);
      if (count > 0) {
        EXPECT_FLOAT_EQ(v.mean[bucket], static_cast<float>(sum / count));
        EXPECT_EQ(v.low[bucket], low);
        EXPECT_EQ(v.high[bucket], high);
      } else {
        EXPECT_TRUE(std::isnan(v.mean[bucket]) && std::isnan(v.low[bucket]));
      }
      ++bucket;
    }
    EXPECT_EQ(bucket, buckets.step.size());
  }
}

// A live plot that is drawn again must not shimmer.
TEST(StepTable, BucketsStayWhereTheyAreWhileTheWindowKeepsItsWidth) {
  StepTable table;
  for (int64_t step = 1; step <= 1000; ++step)
    table.Append(step, {{"v", double(step * step % 37)}});
  const Buckets early = table.Window(100, 499, 50);
  const Buckets later = table.Window(108, 507, 50);
  ASSERT_EQ(early.width, later.width);
  for (size_t i = 2; i + 1 < early.step.size(); ++i) {
    const auto same = std::find(later.step.begin(), later.step.end(), early.step[i]);
    ASSERT_NE(same, later.step.end());
    EXPECT_EQ(later.columns.at("v").mean[static_cast<size_t>(same - later.step.begin())],
              early.columns.at("v").mean[i]);
  }
}

}  // namespace
}  // namespace millwright::app::web
