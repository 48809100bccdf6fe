// The curves over micro-steps.
#include <algorithm>
#include <cmath>

#include "app/dashboard/terminal/screen.h"

namespace millwright::app::dashboard {
namespace {

constexpr int kNarrowestChart = 33;

// The micro-steps that the charts show: those of the run so far, zoomed.
Range ShownSteps(const RunHistory& history, const ViewState& view) {
  const auto& steps = history.steps();
  if (steps.empty()) return {0, 1};
  return view.zoom.Of(steps.steps().front(), steps.last_step());
}

// A column as points, as many as `width` cells can tell apart. A bucket is drawn in its middle.
Series Curve(const web::StepTable& table, const char* column, const Range& x, int width,
             Ink ink = Ink::kSmooth) {
  Series series{.points = {}, .ink = ink, .connected = true};
  const size_t buckets = static_cast<size_t>(std::max(1, width)) * 2;
  const web::Buckets window =
      table.Window(static_cast<int64_t>(x.low), static_cast<int64_t>(x.high), buckets, {column});
  const auto found = window.columns.find(column);
  if (found == window.columns.end()) return series;
  for (size_t i = 0; i < window.step.size(); ++i) {
    series.points.push_back({static_cast<double>(window.step[i]), found->second.mean[i]});
  }
  return series;
}

std::string LossTitle(const ViewState& view, const Range& x, bool wide) {
  std::string title = "loss";
  if (view.zoom.width > 0) title += fmt::format(", steps {:.0f} to {:.0f}", x.low, x.high);
  return wide ? title + ": · steps  line: mean  ◆ validation" : title;
}

struct SmallChart {
  std::string title;
  const web::StepTable* table;
  const char* column;
  Ink ink;
};

bool HasNumbers(const SmallChart& chart) {
  const auto found = chart.table->columns().find(chart.column);
  if (found == chart.table->columns().end()) return false;
  return std::ranges::any_of(found->second, [](float value) { return std::isfinite(value); });
}

// Those of which something is known, and the first ones in any case.
std::vector<SmallChart> SmallCharts(const RunHistory& history, size_t most) {
  std::vector<SmallChart> charts = {
      {"learning rate", &history.steps(), "lr", Ink::kSmooth},
      {"gradient norm", &history.updates(), "grad_norm", Ink::kBackward},
      {"tokens/s", &history.steps(), "tokens_per_s", Ink::kGood},
      {"memory, MB", &history.system(), "rss_mb", Ink::kStaging},
      {"CPU, cores", &history.system(), "cores", Ink::kDw},
      {"power, W", &history.system(), "watts", Ink::kAlarm},
  };
  constexpr size_t kAlways = 3;
  std::erase_if(charts, [&](const SmallChart& chart) {
    return &chart - charts.data() >= static_cast<ptrdiff_t>(kAlways) && !HasNumbers(chart);
  });
  charts.resize(std::min(charts.size(), most));
  return charts;
}

}  // namespace

void DrawLoss(CellGrid& grid, const Rect& rect, const ScreenContent& content,
              const ViewState& view) {
  const RunHistory& history = content.history;
  const Range x = ShownSteps(history, view);
  const bool wide = rect.width >= 48 && view.zoom.width == 0;
  grid.Box(rect, LossTitle(view, x, wide), view.focus == Panel::kLoss ? Ink::kFocus : Ink::kTitle);
  if (history.steps().empty()) {
    grid.PutText(rect.x + 2, rect.y + 1, rect.width - 4, "no step yet", Ink::kDim);
    return;
  }
  Chart chart;
  chart.x = x;
  chart.series = {Curve(history.steps(), "loss", x, rect.width, Ink::kRaw),
                  Curve(history.steps(), "smooth", x, rect.width)};
  chart.series[0].connected = false;
  chart.marks = history.validations();
  DrawChart(grid, rect.inner(), chart);
}

void DrawSmallCharts(CellGrid& grid, const Rect& rect, const ScreenContent& content,
                     const ViewState& view) {
  const RunHistory& history = content.history;
  const Range x = ShownSteps(history, view);
  const auto charts =
      SmallCharts(history, static_cast<size_t>(std::max(2, rect.width / kNarrowestChart)));
  const int count = static_cast<int>(charts.size());
  for (int i = 0; i < count; ++i) {
    const SmallChart& small = charts[static_cast<size_t>(i)];
    const int left = rect.width * i / count, right = rect.width * (i + 1) / count;
    const Rect part{rect.x + left, rect.y, right - left, rect.height};
    grid.Box(part, small.title, Ink::kTitle);
    if (history.steps().empty()) continue;
    Chart chart;
    chart.x = x;
    chart.series = {Curve(*small.table, small.column, x, part.width, small.ink)};
    DrawChart(grid, part.inner(), chart);
  }
}

}  // namespace millwright::app::dashboard
