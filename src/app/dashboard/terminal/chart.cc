#include "app/dashboard/terminal/chart.h"

#include <algorithm>
#include <cmath>

#include "app/dashboard/terminal/dot_canvas.h"

namespace millwright::app::dashboard {
namespace {

constexpr int kRowsATick = 2;      // of the y axis
constexpr int kColumnsATick = 10;  // of the x axis
constexpr int kLeastRowsWithX = 5;

bool Shown(const Range& x, const ChartPoint& point) {
  return std::isfinite(point.y) && point.x >= x.low && point.x <= x.high;
}

Range RangeOfY(const Chart& chart) {
  if (chart.y) return *chart.y;
  std::vector<double> values;
  const auto take = [&](const std::vector<ChartPoint>& points) {
    for (const ChartPoint& point : points) {
      if (Shown(chart.x, point)) values.push_back(point.y);
    }
  };
  for (const Series& series : chart.series) take(series.points);
  take(chart.marks);
  return RangeOf(std::move(values));
}

// From values to dots, or cells, of a rectangle without an origin.
struct Scale {
  Range x, y;
  int width = 0, height = 0;

  int ToX(double value) const { return Place((value - x.low) / x.span(), width); }
  int ToY(double value) const { return Place((y.high - value) / y.span(), height); }

 private:
  static int Place(double share, int places) {
    const double place = std::round(std::clamp(share, 0.0, 1.0) * (places - 1));
    return static_cast<int>(place);
  }
};

void DrawSeries(const Series& series, const Scale& scale, DotCanvas& canvas) {
  bool joined = false;
  int last_x = 0, last_y = 0;
  for (const ChartPoint& point : series.points) {
    if (!Shown(scale.x, point)) {
      joined = false;
      continue;
    }
    const int x = scale.ToX(point.x), y = scale.ToY(point.y);
    if (joined && series.connected) {
      canvas.Line(last_x, last_y, x, y);
    } else {
      canvas.Set(x, y);
    }
    joined = true;
    last_x = x;
    last_y = y;
  }
}

// All dots together make the characters; each has the colour of the last series in it.
void DrawPlot(CellGrid& grid, const Rect& rect, const Chart& chart, const Range& y) {
  const DotStyle style = grid.ascii() ? DotStyle::kAscii : DotStyle::kBraille;
  DotCanvas together(rect.width, rect.height, style);
  const Scale dots{chart.x, y, together.width(), together.height()};
  std::vector<DotCanvas> single;
  for (const Series& series : chart.series) {
    DrawSeries(series, dots, together);
    DrawSeries(series, dots, single.emplace_back(rect.width, rect.height, style));
  }
  for (size_t i = 0; i < single.size(); ++i) {
    for (int row = 0; row < rect.height; ++row) {
      for (int column = 0; column < rect.width; ++column) {
        if (single[i].Glyph(column, row) == 0) continue;
        grid.Put(rect.x + column, rect.y + row, together.Glyph(column, row), chart.series[i].ink);
      }
    }
  }
  const Scale cells{chart.x, y, rect.width, rect.height};
  for (const ChartPoint& mark : chart.marks) {
    if (!Shown(chart.x, mark)) continue;
    grid.Put(rect.x + cells.ToX(mark.x), rect.y + cells.ToY(mark.y), U'◆', Ink::kValidation);
  }
}

double Distance(const std::vector<double>& ticks) {
  if (ticks.size() > 1) return ticks[1] - ticks[0];
  return ticks[0] == 0 ? 1 : std::abs(ticks[0]);
}

struct Label {
  double value;
  std::string text;
};

std::vector<Label> LabelsOf(const std::vector<double>& ticks) {
  std::vector<Label> labels;
  labels.reserve(ticks.size());
  for (const double tick : ticks) labels.push_back({tick, TickLabel(tick, Distance(ticks))});
  return labels;
}

// Labels below their ticks, as far as they do not touch.
void DrawXLabels(CellGrid& grid, const Rect& row, const Range& x) {
  const Scale cells{x, {}, row.width, 1};
  int free = row.x;
  for (const auto& [value, text] : LabelsOf(NiceTicks(x, std::max(2, row.width / kColumnsATick)))) {
    const int width = static_cast<int>(text.size());
    const int right = row.x + row.width - width;
    const int at = std::min(row.x + cells.ToX(value) - width / 2, right);
    if (at < free) continue;
    grid.PutText(at, row.y, width, text, Ink::kDim);
    free = at + width + 1;
  }
}

}  // namespace

void DrawChart(CellGrid& grid, const Rect& rect, const Chart& chart) {
  if (rect.empty() || !(chart.x.span() > 0)) return;
  const Range y = RangeOfY(chart);
  const bool with_x = rect.height >= kLeastRowsWithX;
  const int rows = rect.height - (with_x ? 1 : 0);
  const auto labels = LabelsOf(NiceTicks(y, std::max(3, rows / kRowsATick)));
  int width = 0;
  for (const Label& label : labels) width = std::max(width, static_cast<int>(label.text.size()));
  const Rect plot{rect.x + width + 1, rect.y, rect.width - width - 1, rows};
  if (plot.empty()) return;
  for (int row = 0; row < rows; ++row) grid.Put(plot.x - 1, plot.y + row, U'│', Ink::kFrame);
  const Scale cells{chart.x, y, plot.width, rows};
  for (const auto& [value, text] : labels) {
    const int row = plot.y + cells.ToY(value);
    grid.PutTextRight(plot.x - 1, row, width, text, Ink::kDim);
    grid.Put(plot.x - 1, row, U'┤', Ink::kFrame);
  }
  if (with_x) DrawXLabels(grid, {plot.x, rect.y + rows, plot.width, 1}, chart.x);
  DrawPlot(grid, plot, chart, y);
}

void DrawSpark(CellGrid& grid, const Rect& rect, const Series& series) {
  if (rect.empty() || series.points.empty()) return;
  Chart chart;
  chart.series = {series};
  chart.x = {series.points.front().x,
             std::max(series.points.back().x, series.points.front().x + 1)};
  DrawPlot(grid, {rect.x, rect.y, rect.width, 1}, chart, RangeOfY(chart));
}

}  // namespace millwright::app::dashboard
