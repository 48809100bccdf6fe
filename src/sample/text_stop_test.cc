#include "sample/text_stop.h"

#include <gtest/gtest.h>

namespace millwright::sample {
namespace {

// What comes out of `text` when it arrives in pieces of `size` bytes.
std::string InPieces(TextStop stop, const std::string& text, size_t size, bool* found) {
  std::string out;
  for (size_t at = 0; at < text.size(); at += size) out += stop.Add(text.substr(at, size));
  *found = stop.found();
  return out + stop.Finish();
}

TEST(TextStop, EndsBeforeTheFirstOfItsTextsInPiecesOfAnySize) {
  for (size_t size = 1; size < 20; ++size) {
    bool found = false;
    EXPECT_EQ(InPieces(TextStop({"User:", "\n\n"}), "Yes.\nUser no\nUser: ", size, &found),
              "Yes.\nUser no\n");
    EXPECT_TRUE(found);
    EXPECT_EQ(InPieces(TextStop({"b", "abc"}), "xxabc", size, &found), "xx");
    EXPECT_EQ(InPieces(TextStop({"b", "abc"}), "xxab", size, &found), "xxa");
    EXPECT_EQ(InPieces(TextStop({"aab"}), "aaab", size, &found), "a");
    EXPECT_EQ(InPieces(TextStop({"User:"}), "One User", size, &found), "One User");
    EXPECT_FALSE(found);
    EXPECT_EQ(InPieces(TextStop({"", "zz"}), "abc", size, &found), "abc");
    EXPECT_FALSE(found);
  }
}

TEST(TextStop, HoldsBackOnlyWhatMayBeABeginning) {
  TextStop stop({"end"});
  EXPECT_EQ(stop.Add("the e"), "the ");
  EXPECT_EQ(stop.Add("n"), "");
  EXPECT_EQ(stop.Add("emy en"), "enemy ");
  EXPECT_EQ(stop.Add("d of it"), "");
  EXPECT_TRUE(stop.found());
  EXPECT_EQ(stop.Add("more"), "");
  EXPECT_EQ(stop.Finish(), "");
}

}  // namespace
}  // namespace millwright::sample
