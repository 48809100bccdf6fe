// What differs between chips and systems: which rows hold, how programs must be written, the names.
#include "device/ane/target.h"

#include <gtest/gtest.h>

#include <string>

#include "device/ane/constraints.h"
#include "device/ane/surface_size.h"
#include "device/ane/test_constraint_programs.h"

namespace millwright::device::ane {
namespace {

// Chips: what is wrong on one is right on another.
TEST(ConstraintsTest, RowsHoldForTheirChipsOnly) {
  EXPECT_TRUE(Found(Parsed(Slice("at32")), kM4).empty());
  EXPECT_FALSE(Found(Parsed(Relu("tensor<fp16, [1, 64, 1, 16416]>")), kM4).contains("B2"));
  EXPECT_FALSE(Found(Parsed(CutSoftmax()), kM4).contains("A29"));
  EXPECT_FALSE(Found(Parsed(Unary("sin")), kM4).contains("F3"));
  const std::string weight14 = Blob("tensor<fp16, [64, 64, 1, 14]>");
  const Text conv = Conv("", weight14, "ones", "one", "", "[1, 64, 1, 51]");
  EXPECT_TRUE(Found(Parsed(conv), kM1).contains("A23"));
  EXPECT_FALSE(Found(Parsed(conv), kM4).contains("A23"));
}

TEST(ConstraintsTest, DialectIsThatOfTheText) {
  const Target old{.chip = Chip::kM1, .macos = 26, .managed = false};
  EXPECT_TRUE(Found(Parsed(kRelu), old).contains("A12"));
  EXPECT_FALSE(Found(Parsed(kRelu, "1.0"), old).contains("A12"));
  EXPECT_FALSE(Found(Parsed(kRelu), kM1).contains("A12")) << "the device prints it";
  EXPECT_TRUE(Found(Parsed(SdpAttention("", 64)), kM1).contains("A12")) << "an ios18 operation";
  EXPECT_FALSE(Found(Parsed(kRelu), kByHand).contains("A12"));
}

TEST(ConstraintsTest, MoreObjectionsToAttention) {
  EXPECT_TRUE(Found(Parsed(SdpAttention("", 512)), kM4).contains("E6"));
  EXPECT_FALSE(Found(Parsed(SdpAttention("", 256)), kM4).contains("E6"));
}

TEST(ConstraintsTest, ListsRowsOfATarget) {
  const std::string all = ListConstraints(nullptr);
  const std::string m4 = ListConstraints(&kM4);
  EXPECT_NE(all.find("E4   error"), std::string::npos) << all;
  EXPECT_EQ(m4.find("E4   error"), std::string::npos);
  EXPECT_NE(m4.find("B16  warning"), std::string::npos) << m4;
}

TEST(ConstraintsTest, CapsFollowFromTheTable) {
  Caps m1, m4, ultra;
  FillCaps(kM1, &m1);
  FillCaps(kM4, &m4);
  FillCaps(kM3Ultra, &ultra);
  EXPECT_EQ(m1.max_width, 16384);
  EXPECT_FALSE(m1.width_slices);
  EXPECT_FALSE(m1.narrow_factors);
  EXPECT_TRUE(m1.rotary_by_matrix);
  EXPECT_FALSE(m1.split_inputs);
  EXPECT_TRUE(ultra.split_inputs);
  EXPECT_EQ(m4.max_width, 65536);
  EXPECT_TRUE(m4.width_slices);
  EXPECT_FALSE(m4.rotary_by_matrix);
  EXPECT_EQ(m4.width_multiple, 32);
}

TEST(SurfaceSizeTest, IsAMultipleOf64KiB) {
  EXPECT_EQ(SurfaceBytes(0), 65536u);
  EXPECT_EQ(SurfaceBytes(1), 65536u);
  EXPECT_EQ(SurfaceBytes(65536), 65536u);
  EXPECT_EQ(SurfaceBytes(65537), 131072u);
}

TEST(TargetTest, ReadsChipsAndVersions) {
  EXPECT_EQ(*ParseTarget("M1 Pro:26"), (Target{.chip = Chip::kM1, .macos = 26}));
  EXPECT_EQ(*ParseTarget("m3-ultra"), (Target{.chip = Chip::kM3Ultra, .macos = 15}));
  EXPECT_EQ(ParseTarget("M2 Max")->chip, Chip::kM2Max);
  EXPECT_EQ(ParseTarget("m4 max")->chip, Chip::kM4);
  EXPECT_EQ(ParseTarget("m3-ultra")->generation(), 3);
  for (Chip chip : AllChips()) EXPECT_EQ(ParseTarget(ChipName(chip))->chip, chip);
  for (const char* wrong : {"m0", "", "m4:", "m4:x", "m4:12", "m4-mini"}) {
    EXPECT_FALSE(ParseTarget(wrong).ok()) << wrong;
  }
}

TEST(TargetTest, KnowsArchitectures) {
  EXPECT_EQ(*ChipFromArchitecture("h13g"), Chip::kM1);
  EXPECT_EQ(*ChipFromArchitecture("h16g"), Chip::kM4);
  EXPECT_EQ(*ChipFromArchitecture("h17s"), Chip::kM5);
  EXPECT_FALSE(ChipFromArchitecture("h18").ok());
  EXPECT_FALSE(ChipFromArchitecture("").ok());
}

TEST(TargetTest, OldCompilersWantTheVerboseDialect) {
  EXPECT_TRUE(NeedsVerboseDialect({.chip = Chip::kM1, .macos = 26}));
  EXPECT_TRUE(NeedsVerboseDialect({.chip = Chip::kM4, .macos = 14}));
  EXPECT_FALSE(NeedsVerboseDialect({.chip = Chip::kM3, .macos = 15}));
}

}  // namespace
}  // namespace millwright::device::ane
