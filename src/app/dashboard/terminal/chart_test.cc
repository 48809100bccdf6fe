#include "app/dashboard/terminal/chart.h"

#include <gmock/gmock.h>

#include <cmath>

namespace millwright::app::dashboard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Chart Falling() {
  Chart chart;
  chart.x = {0, 100};
  Series series;
  for (int i = 0; i <= 100; ++i) series.points.push_back({i * 1.0, 10.0 - 0.1 * i});
  chart.series = {series};
  return chart;
}

std::string Drawn(const Chart& chart, Size size, bool ascii) {
  CellGrid grid(size, ascii);
  DrawChart(grid, grid.all(), chart);
  return grid.ToText();
}

TEST(Chart, DrawsALineFromCornerToCorner) {
  EXPECT_EQ(Drawn(Falling(), {14, 5}, false),
            "10┤⠲⢤⡀\n"
            "  │  ⠉⠓⢤⡀\n"
            " 5┤     ⠈⠓⢤⣀\n"
            " 0┤        ⠈⠓⠦\n"
            "   0       100\n");
}

TEST(Chart, AsciiNeedsNoOtherCharacters) {
  for (const char c : Drawn(Falling(), {40, 12}, true)) {
    EXPECT_GE(c, '\n');
    EXPECT_LT(c, 0x7f);
  }
}

TEST(Chart, MarksLieAboveTheCurve) {
  Chart chart = Falling();
  chart.marks = {{50, 5.0}, {500, 5.0}, {60, std::nan("")}};
  CellGrid grid({14, 5});
  DrawChart(grid, grid.all(), chart);
  int marks = 0;
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 14; ++x) {
      if (grid.at(x, y).point != U'◆') continue;
      ++marks;
      EXPECT_EQ(grid.at(x, y).ink, Ink::kValidation);
      EXPECT_EQ(y, 2);
    }
  }
  EXPECT_EQ(marks, 1);
}

TEST(Chart, GapsAreNotBridged) {
  Chart chart = Falling();
  for (int i = 40; i <= 60; ++i) chart.series[0].points[static_cast<size_t>(i)].y = std::nan("");
  CellGrid grid({43, 9});
  DrawChart(grid, grid.all(), chart);
  for (int y = 0; y < 8; ++y) EXPECT_EQ(grid.at(23, y).point, U' ') << y;
}

TEST(Chart, ValuesBeyondTheRangeLieAtItsEdge) {
  Chart chart;
  chart.x = {0, 10};
  chart.y = Range{0, 1};
  chart.series = {{.points = {{5, 1e9}}, .ink = Ink::kRaw, .connected = false}};
  CellGrid grid({20, 6});
  DrawChart(grid, grid.all(), chart);
  bool found = false;
  for (int x = 0; x < 20; ++x) found |= grid.at(x, 0).ink == Ink::kRaw;
  EXPECT_TRUE(found);
}

TEST(Chart, LaterSeriesGiveTheColour) {
  Chart chart = Falling();
  chart.series.push_back(chart.series[0]);
  chart.series[0].ink = Ink::kRaw;
  CellGrid grid({30, 8});
  DrawChart(grid, grid.all(), chart);
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 30; ++x) EXPECT_NE(grid.at(x, y).ink, Ink::kRaw);
  }
}

TEST(Chart, AnySizeAndNoDataDoNoHarm) {
  Chart empty;
  empty.x = {0, 0};
  for (int width = 0; width < 12; ++width) {
    for (int height = 0; height < 8; ++height) {
      Drawn(Falling(), {width, height}, false);
      Drawn(empty, {width, height}, true);
    }
  }
  empty.x = {1, 9};
  EXPECT_THAT(Drawn(empty, {30, 8}, false), HasSubstr("┤"));
}

TEST(Chart, LabelsOfTheXAxisDoNotTouch) {
  Chart chart = Falling();
  chart.x = {0, 123456};
  for (int width = 12; width < 120; ++width) {
    EXPECT_THAT(Drawn(chart, {width, 8}, true), Not(HasSubstr("kk")));
  }
}

TEST(Chart, SparkIsOneRow) {
  CellGrid grid({8, 1});
  DrawSpark(grid, grid.all(), Falling().series[0]);
  EXPECT_EQ(grid.ToText(), "⠉⠓⠒⠒⠤⠤⢤⣀\n");
}

}  // namespace
}  // namespace millwright::app::dashboard
