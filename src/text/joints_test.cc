#include "text/joints.h"

#include <gtest/gtest.h>

namespace millwright::text {
namespace {

TEST(JointsTest, CutsWhereNoPieceGoesAcross) {
  Joints joints(/*meta_space=*/false);
  for (const char* piece : {" the", "he", "\u00E9t", "x"}) joints.AddPiece(piece);
  EXPECT_EQ(joints.NextCut("the the", 0), 3u);
  EXPECT_EQ(joints.NextCut("the", 0), Joints::kNone);
  EXPECT_EQ(joints.NextCut(" thex", 0), 4u);
  EXPECT_EQ(joints.NextCut("\u00E9te", 0), 3u);
  EXPECT_EQ(joints.NextCut("t\u00E9", 0), 1u);
  EXPECT_EQ(joints.NextCut("ab", 1), Joints::kNone);
  EXPECT_EQ(joints.NextCut("", 0), Joints::kNone);
}

TEST(JointsTest, MetaSpaceIsASpace) {
  Joints joints(/*meta_space=*/true);
  joints.AddPiece("\u2581a");
  EXPECT_EQ(joints.NextCut(" a", 0), Joints::kNone);
  EXPECT_EQ(joints.NextCut("\u2581a", 0), Joints::kNone);
  EXPECT_EQ(joints.NextCut(" b", 0), 1u);
}

TEST(JointsTest, DoesNotCutAtBrokenCharacters) {
  const Joints joints(/*meta_space=*/false);
  EXPECT_EQ(joints.NextCut("a\x80z", 0), Joints::kNone);
  EXPECT_EQ(joints.NextCut("a\xE2\x96", 0), Joints::kNone);
  EXPECT_EQ(joints.NextCut("a\xE2\x96yz", 0), 4u);
}

}  // namespace
}  // namespace millwright::text
