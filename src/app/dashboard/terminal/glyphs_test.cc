#include "app/dashboard/terminal/glyphs.h"

#include <gmock/gmock.h>

namespace millwright::app::dashboard {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Lines(std::string_view text, int width) {
  std::vector<std::string> lines;
  for (const auto& line : Wrap(text, width)) {
    EXPECT_LE(WidthOf(line), width);
    lines.emplace_back();
    for (const Glyph& glyph : line) AppendUtf8(glyph.point, lines.back());
  }
  return lines;
}

TEST(Glyphs, BreaksAtSpaces) {
  EXPECT_THAT(Lines("once upon a time", 9), ElementsAre("once upon", "a time"));
  EXPECT_THAT(Lines("once upon a time", 10), ElementsAre("once upon", "a time"));
  EXPECT_THAT(Lines("once  upon", 5), ElementsAre("once", "upon"));
  EXPECT_THAT(Lines("unbreakable", 4), ElementsAre("unbr", "eaka", "ble"));
  EXPECT_THAT(Lines("a\n\nb\n", 4), ElementsAre("a", "", "b"));
  EXPECT_THAT(Lines("    four", 8), ElementsAre("    four"));
  EXPECT_TRUE(Wrap("", 8).empty());
}

TEST(Glyphs, WideCharactersAreNotCutInHalf) {
  EXPECT_THAT(Lines("日本語", 5), ElementsAre("日本", "語"));
  EXPECT_THAT(Lines("a日本", 4), ElementsAre("a日", "本"));
  // A mark stays with its letter.
  EXPECT_THAT(Lines("abe\u0301c", 3), ElementsAre("abe\u0301", "c"));
}

TEST(Glyphs, NothingThatATerminalWouldObeyGetsThrough) {
  const auto glyphs = GlyphsOf("a\x1b[31m\t\r\x9b\xff\xc2\x9b");
  for (const Glyph& glyph : glyphs) {
    EXPECT_GE(glyph.point, U' ');
    EXPECT_TRUE(glyph.point < 0x7f || glyph.point == 0xfffd) << static_cast<uint32_t>(glyph.point);
  }
  EXPECT_EQ(WidthOf(glyphs), 11);
}

TEST(Glyphs, Utf8ReadsBack) {
  const std::string text = "aé語😀";
  std::string again;
  for (const Glyph& glyph : GlyphsOf(text)) AppendUtf8(glyph.point, again);
  EXPECT_EQ(again, text);
  EXPECT_EQ(WidthOf(GlyphsOf(text)), 6);
}

TEST(Glyphs, HasAsciiTwins) {
  EXPECT_EQ(ToAscii(U'x'), U'x');
  EXPECT_EQ(ToAscii(U'─'), U'-');
  EXPECT_EQ(ToAscii(U'語'), U'?');
}

}  // namespace
}  // namespace millwright::app::dashboard
