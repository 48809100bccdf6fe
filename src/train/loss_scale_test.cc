#include "train/loss_scale.h"

#include <gtest/gtest.h>

namespace millwright::train {
namespace {

void Repeat(LossScale* scale, int64_t updates) {
  for (int64_t i = 0; i < updates; ++i) scale->Adjust(true);
}

TEST(LossScaleTest, AFixedScaleOnlyFalls) {
  LossScale scale(4.0);
  Repeat(&scale, 3 * LossScale::kGrowthUpdates);
  EXPECT_EQ(scale.value(), 4.0);
  EXPECT_EQ(scale.good_updates(), 0);
  for (double expected : {2.0, 1.0, 1.0}) {
    scale.Adjust(false);
    EXPECT_EQ(scale.value(), expected);
  }
}

TEST(LossScaleTest, ADynamicScaleGrowsAfterGoodUpdatesInARow) {
  LossScale scale(256.0, /*dynamic=*/true);
  Repeat(&scale, LossScale::kGrowthUpdates - 1);
  EXPECT_EQ(scale.value(), 256.0);
  scale.Adjust(true);
  EXPECT_EQ(scale.value(), 512.0);
  Repeat(&scale, LossScale::kGrowthUpdates - 1);
  scale.Adjust(false);
  EXPECT_EQ(scale.value(), 256.0);
  Repeat(&scale, LossScale::kGrowthUpdates - 1);
  EXPECT_EQ(scale.value(), 256.0) << "counting starts anew";
  scale.Adjust(true);
  EXPECT_EQ(scale.value(), 512.0);
}

TEST(LossScaleTest, ADynamicScaleEndsAtItsLimit) {
  LossScale scale(LossScale::kLargest, /*dynamic=*/true);
  Repeat(&scale, LossScale::kGrowthUpdates);
  EXPECT_EQ(scale.value(), LossScale::kLargest);
}

// What a resumed run does: value and count are all there is to save.
TEST(LossScaleTest, GoesOnFromWhatWasSaved) {
  LossScale scale(64.0, true);
  Repeat(&scale, 77);
  LossScale resumed(scale.value(), true, scale.good_updates());
  bool moved = false;
  for (int64_t i = 0; i < 2 * LossScale::kGrowthUpdates; ++i) {
    scale.Adjust(i % 300 != 299);
    resumed.Adjust(i % 300 != 299);
    ASSERT_EQ(resumed.value(), scale.value());
    moved |= scale.value() != 64.0;
  }
  EXPECT_TRUE(moved);
}

}  // namespace
}  // namespace millwright::train
