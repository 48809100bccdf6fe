#include "app/dashboard/terminal/cell_grid.h"

#include <gtest/gtest.h>

namespace millwright::app::dashboard {
namespace {

TEST(CellGrid, CutsTextAtItsWidth) {
  CellGrid grid({8, 2});
  EXPECT_EQ(grid.PutText(1, 0, 3, "abcdef", Ink::kText), 4);
  EXPECT_EQ(grid.PutText(6, 1, 9, "xyz", Ink::kText), 8);
  EXPECT_EQ(grid.ToText(), " abc\n      xy\n");
}

TEST(CellGrid, ShowsThatSomethingWasCutOff) {
  CellGrid grid({8, 2});
  EXPECT_EQ(grid.PutCut(0, 0, 5, "abcdef", Ink::kText), 5);
  EXPECT_EQ(grid.PutCut(0, 1, 5, "abcde", Ink::kText), 5);
  EXPECT_EQ(grid.PutCut(6, 1, 0, "abcde", Ink::kText), 6);
  EXPECT_EQ(grid.ToText(), "abcd…\nabcde\n");
}

TEST(CellGrid, WideCharactersTakeTwoCells) {
  CellGrid grid({6, 1});
  EXPECT_EQ(grid.PutText(0, 0, 5, "日本語", Ink::kText), 4);  // no half of the third
  EXPECT_EQ(grid.ToText(), "日本\n");
  EXPECT_EQ(grid.at(1, 0).point, 0u);
}

TEST(CellGrid, OverwritingHalfOfAWideCharacterBlanksTheOther) {
  for (const int x : {0, 1}) {
    CellGrid grid({4, 1});
    grid.PutText(0, 0, 4, "日", Ink::kText);
    grid.Put(x, 0, U'x', Ink::kText);
    EXPECT_EQ(grid.ToText(), x == 0 ? "x\n" : " x\n");
  }
}

TEST(CellGrid, MarksGoOntoTheirLetter) {
  CellGrid grid({4, 1});
  EXPECT_EQ(grid.PutText(0, 0, 4, "e\u0301x", Ink::kText), 2);
  EXPECT_EQ(grid.ToText(), "e\u0301x\n");
  grid.PutText(0, 0, 4, "\u0301a", Ink::kText);  // none to go onto
  EXPECT_EQ(grid.ToText(), "ax\n");
}

TEST(CellGrid, DrawsFrames) {
  CellGrid grid({8, 3});
  grid.Box(grid.all(), "loss", Ink::kTitle);
  EXPECT_EQ(grid.ToText(), "┌ loss ┐\n│      │\n└──────┘\n");
  CellGrid ascii({8, 3}, true);
  ascii.Box(ascii.all(), "a longer title", Ink::kTitle);
  EXPECT_EQ(ascii.ToText(), "+ a lo +\n|      |\n+------+\n");
}

TEST(CellGrid, NothingIsDrawnOutside) {
  CellGrid grid({3, 2});
  grid.Put(3, 0, U'x', Ink::kText);
  grid.Put(0, -1, U'x', Ink::kText);
  grid.PutText(0, 5, 3, "x", Ink::kText);
  grid.Box({1, 1, 9, 9}, "", Ink::kTitle);
  EXPECT_EQ(grid.ToText(), "\n ┌─\n");
  EXPECT_EQ(CellGrid({-2, 3}).ToText(), "\n\n\n");
}

TEST(CellGrid, PutsTextAtTheRight) {
  CellGrid grid({6, 1});
  grid.PutTextRight(6, 0, 4, "ab", Ink::kText);
  EXPECT_EQ(grid.ToText(), "    ab\n");
  grid.PutTextRight(6, 0, 4, "abcdef", Ink::kText);
  EXPECT_EQ(grid.ToText(), "  abcd\n");
}

}  // namespace
}  // namespace millwright::app::dashboard
