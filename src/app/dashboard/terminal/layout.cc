#include "app/dashboard/terminal/layout.h"

#include <algorithm>
#include <utility>

namespace millwright::app::dashboard {
namespace {

constexpr int kTallEnoughForCharts = 34;
constexpr int kNarrowStats = 32, kWideStats = 44;

int FindingRows(int height) { return height < 30 ? 1 : height < 50 ? 2 : 3; }

}  // namespace

Layout MakeLayout(Size size) {
  Layout layout;
  if (size.width < kSmallest.width || size.height < kSmallest.height) {
    layout.too_small = true;
    return layout;
  }
  const int width = size.width;
  int y = 0;
  const auto take = [&](int rows) { return Rect{0, std::exchange(y, y + rows), width, rows}; };
  layout.title = take(1);
  layout.network = take(1);
  layout.progress = take(1);
  layout.findings = take(FindingRows(size.height));
  const int body = size.height - y - 1;
  const bool with_charts = size.height >= kTallEnoughForCharts;
  const int charts = with_charts ? std::max(7, body / 5) : 0;
  const int top = with_charts ? std::max(17, (body - charts) * 55 / 100) : body * 58 / 100;
  const int stats =
      width >= 110 && with_charts ? std::max(kWideStats, width * 3 / 10) : kNarrowStats;
  layout.loss = take(top);
  layout.stats = layout.loss;
  layout.loss.width = width - stats;
  layout.stats.x = layout.loss.width;
  layout.stats.width = stats;
  if (with_charts) layout.charts = take(charts);
  layout.samples = take(size.height - y - 1);
  layout.log = layout.samples;
  layout.samples.width = width / 2;
  layout.log.x = layout.samples.width;
  layout.log.width = width - layout.log.x;
  layout.keys = take(1);
  return layout;
}

}  // namespace millwright::app::dashboard
