#include "app/dashboard/web/histogram_history.h"

#include <algorithm>
#include <limits>

#include "app/dashboard/web/thin_out.h"

namespace millwright::app::web {

HistogramHistory::Spread HistogramHistory::Compact(const telemetry::Histogram& histogram) {
  Spread spread{static_cast<float>(histogram.low), static_cast<float>(histogram.high), {}};
  spread.counts.reserve(histogram.counts.size());
  for (const int64_t count : histogram.counts) {
    constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
    spread.counts.push_back(static_cast<uint32_t>(std::clamp<int64_t>(count, 0, kMost)));
  }
  return spread;
}

void HistogramHistory::Add(const telemetry::TensorsEvent& event) {
  CutFrom(event.step);
  Event& added = events_.emplace_back(Event{event.step, {}});
  for (const telemetry::TensorHealth& tensor : event.tensors) {
    const auto [found, is_new] = index_.emplace(tensor.name, names_.size());
    if (is_new) names_.push_back(tensor.name);
    const size_t index = found->second;
    if (added.tensors.size() <= index) added.tensors.resize(index + 1);
    added.tensors[index].weight = Compact(tensor.weight.histogram);
    if (tensor.gradient) added.tensors[index].gradient = Compact(tensor.gradient->histogram);
  }
  ThinOut(events_, kMostEvents);
}

void HistogramHistory::CutFrom(int64_t step) {
  std::erase_if(events_, [step](const Event& event) { return event.step >= step; });
}

HistogramSeries HistogramHistory::Of(const std::string& name, bool gradients, size_t most) const {
  HistogramSeries series;
  const auto tensor = index_.find(name);
  if (tensor == index_.end() || events_.empty()) return series;
  const size_t distance = (events_.size() - 1) / std::max<size_t>(most, 1) + 1;
  for (size_t i = (events_.size() - 1) % distance; i < events_.size(); i += distance) {
    const Event& event = events_[i];
    if (event.tensors.size() <= tensor->second) continue;
    const Pair& pair = event.tensors[tensor->second];
    const Spread& spread = gradients ? pair.gradient : pair.weight;
    if (spread.counts.empty()) continue;
    series.steps.push_back(event.step);
    series.histograms.push_back(
        {spread.low, spread.high, {spread.counts.begin(), spread.counts.end()}});
  }
  return series;
}

}  // namespace millwright::app::web
