// A curve with its axes, drawn in dots.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "app/dashboard/terminal/axis.h"
#include "app/dashboard/terminal/cell_grid.h"

namespace millwright::app::dashboard {

struct ChartPoint {
  double x = 0, y = 0;  // NaN as y: a gap
};

struct Series {
  std::vector<ChartPoint> points;  // by ascending x
  Ink ink = Ink::kSmooth;
  bool connected = true;  // by lines; else single dots
};

struct Chart {
  std::vector<Series> series;     // the later ones lie above
  std::vector<ChartPoint> marks;  // drawn as ◆ above all, in Ink::kValidation
  Range x;                        // points outside are not drawn
  std::optional<Range> y;         // absent: that of what is drawn
};

// Draws into `rect`: the axes' labels at its left and, where there are five rows, in its last. A
// value beyond the range of y is drawn at its edge. Nothing but the axes if there are no points.
void DrawChart(CellGrid& grid, const Rect& rect, const Chart& chart);

// A curve without axes, one row high.
void DrawSpark(CellGrid& grid, const Rect& rect, const Series& series);

}  // namespace millwright::app::dashboard
