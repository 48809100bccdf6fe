#include "app/dashboard/terminal/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace millwright::app::dashboard {
namespace {

constexpr size_t kEnoughToJudge = 20;  // values, before any counts as far off
constexpr double kFarOff = 4;          // times the distance of the quantiles
constexpr double kMargin = 0.05;

// Without the values far outside the middle 96%.
Range WithoutFarOff(const std::vector<double>& sorted) {
  Range all = {sorted.front(), sorted.back()};
  if (sorted.size() < kEnoughToJudge) return all;
  const size_t tail = std::max<size_t>(1, sorted.size() / 50);
  const Range most = {sorted[tail], sorted[sorted.size() - 1 - tail]};
  if (most.span() <= 0 || all.span() <= kFarOff * most.span()) return all;
  return {std::max(all.low, most.low - most.span()), std::min(all.high, most.high + most.span())};
}

}  // namespace

Range RangeOf(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return {};
  std::ranges::sort(values);
  Range range = WithoutFarOff(values);
  if (range.span() <= std::abs(range.low) * 1e-6) {
    const double around = range.low == 0 ? 1 : std::abs(range.low) * kMargin;
    return {range.low - around, range.high + around};
  }
  const double margin = range.span() * kMargin;
  return {range.low - margin, range.high + margin};
}

std::vector<double> NiceTicks(const Range& range, int most) {
  if (most < 1 || !(range.span() > 0)) return {};
  double distance = std::pow(10, std::floor(std::log10(range.span() / most)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0, 20.0}) {
    const double first = std::ceil(range.low / (factor * distance));
    const double last = std::floor(range.high / (factor * distance));
    if (last - first + 1 > most) continue;
    std::vector<double> ticks;
    for (double i = first; i <= last; ++i) ticks.push_back(i * factor * distance + 0.0);
    return ticks;
  }
  return {};
}

std::string ShortNumber(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf";
  const double size = std::abs(value);
  if (size >= 1e9 || (size > 0 && size < 1e-4)) return fmt::format("{:.1e}", value);
  if (size >= 1e6) return fmt::format("{:.1f}M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:.1f}k", value / 1e3);
  if (value == std::floor(value)) return fmt::format("{:.0f}", value);
  if (size >= 100) return fmt::format("{:.1f}", value);
  if (size >= 10) return fmt::format("{:.2f}", value);
  return size >= 0.1 ? fmt::format("{:.3f}", value) : fmt::format("{:.2g}", value);
}

std::string TickLabel(double value, double distance) {
  const double size = std::max(std::abs(value), distance);
  if (std::abs(value) < distance * 1e-6) return "0";
  if (size >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:g}k", value / 1e3);
  if (size < 1e-3) return fmt::format("{:.2g}", value);
  const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(distance) + 1e-9)));
  return fmt::format("{:.{}f}", value, digits);
}

}  // namespace millwright::app::dashboard
