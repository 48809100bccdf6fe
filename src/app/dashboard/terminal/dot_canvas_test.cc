#include "app/dashboard/terminal/dot_canvas.h"

#include <gtest/gtest.h>

#include <set>

namespace millwright::app::dashboard {
namespace {

TEST(DotCanvas, EveryBrailleDotIsABitOfItsOwn) {
  std::set<char32_t> glyphs;
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 2; ++x) {
      DotCanvas canvas(1, 1, DotStyle::kBraille);
      canvas.Set(x, y);
      glyphs.insert(canvas.Glyph(0, 0));
    }
  }
  EXPECT_EQ(glyphs, (std::set<char32_t>{U'⠁', U'⠂', U'⠄', U'⡀', U'⠈', U'⠐', U'⠠', U'⢀'}));
}

TEST(DotCanvas, AsciiHasTwoDotsACharacter) {
  DotCanvas canvas(3, 1, DotStyle::kAscii);
  EXPECT_EQ(canvas.width(), 3);
  EXPECT_EQ(canvas.height(), 2);
  canvas.Set(0, 0);
  canvas.Set(1, 1);
  canvas.Line(2, 0, 2, 1);
  EXPECT_EQ(canvas.Glyph(0, 0), U'\'');
  EXPECT_EQ(canvas.Glyph(1, 0), U'.');
  EXPECT_EQ(canvas.Glyph(2, 0), U':');
}

TEST(DotCanvas, LinesAreTheSameInBothDirections) {
  for (const auto& [x, y] : {std::pair(7, 2), std::pair(3, 7), std::pair(7, 7), std::pair(0, 5)}) {
    DotCanvas there(4, 2, DotStyle::kBraille), back(4, 2, DotStyle::kBraille);
    there.Line(0, 0, x, y);
    back.Line(x, y, 0, 0);
    int dots = 0;
    for (int row = 0; row < 2; ++row) {
      for (int column = 0; column < 4; ++column) {
        // Halves are rounded away from the start, so the two may differ by a dot, not in length.
        dots += there.Glyph(column, row) != 0;
        dots -= back.Glyph(column, row) != 0;
      }
    }
    EXPECT_LE(std::abs(dots), 1);
    EXPECT_NE(there.Glyph(0, 0), 0u);
    EXPECT_NE(there.Glyph(x / 2, y / 4), 0u);
  }
}

TEST(DotCanvas, WhatLiesOutsideIsDropped) {
  DotCanvas canvas(2, 1, DotStyle::kBraille);
  canvas.Set(-1, 0);
  canvas.Set(4, 0);
  canvas.Set(0, 4);
  EXPECT_EQ(canvas.Glyph(0, 0), 0u);
  EXPECT_EQ(canvas.Glyph(5, 5), 0u);
  DotCanvas none(-3, 0, DotStyle::kBraille);
  none.Line(0, 0, 9, 9);
  EXPECT_EQ(none.width(), 0);
}

}  // namespace
}  // namespace millwright::app::dashboard
