#include "app/dashboard/web/step_table.h"

#include <algorithm>
#include <cmath>

namespace millwright::app::web {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// Rows [begin, end) of each bucket.
using Bounds = std::vector<std::pair<size_t, size_t>>;

void Summarise(const std::vector<float>& values, const Bounds& bounds, BucketColumn& column) {
  for (const auto& [begin, end] : bounds) {
    double sum = 0;
    size_t count = 0;
    float low = kMissing, high = kMissing;
    for (size_t i = begin; i < end; ++i) {
      const float value = values[i];
      if (!std::isfinite(value)) continue;
      low = count == 0 ? value : std::min(low, value);
      high = count == 0 ? value : std::max(high, value);
      sum += value;
      ++count;
    }
    column.mean.push_back(count == 0 ? kMissing
                                     : static_cast<float>(sum / static_cast<double>(count)));
    column.low.push_back(low);
    column.high.push_back(high);
  }
}

}  // namespace

bool StepTable::Append(int64_t step, const Row& row) {
  const bool cut = CutFrom(step);
  steps_.push_back(step);
  for (const auto& [name, value] : row) {
    auto column = columns_.find(name);
    if (column == columns_.end()) column = columns_.emplace(name, std::vector<float>()).first;
    column->second.resize(steps_.size(), kMissing);
    column->second.back() = static_cast<float>(value);
  }
  for (auto& [name, values] : columns_) values.resize(steps_.size(), kMissing);
  return cut;
}

bool StepTable::CutFrom(int64_t step) {
  if (steps_.empty() || step > steps_.back()) return false;
  const auto first = std::lower_bound(steps_.begin(), steps_.end(), step);
  const size_t rows = static_cast<size_t>(first - steps_.begin());
  steps_.resize(rows);
  for (auto& [name, values] : columns_) values.resize(rows);
  return true;
}

Buckets StepTable::Window(int64_t from, int64_t to, size_t max_buckets,
                          const std::vector<std::string>& names) const {
  Buckets result;
  const auto first = std::lower_bound(steps_.begin(), steps_.end(), from);
  const auto last = std::upper_bound(first, steps_.end(), to);
  if (first >= last) return result;
  const int64_t span = *(last - 1) - *first + 1;
  const auto buckets = static_cast<int64_t>(std::max<size_t>(max_buckets, 1));
  // Where rows are few and far between there is nothing to sum up, however wide the window.
  if (last - first > buckets) result.width = (span + buckets - 1) / buckets;

  Bounds bounds;
  for (auto row = first; row != last;) {
    const int64_t end_step = (*row / result.width + 1) * result.width;
    const auto end = std::lower_bound(row, last, end_step);
    bounds.emplace_back(row - steps_.begin(), end - steps_.begin());
    result.step.push_back(*row + (*(end - 1) - *row) / 2);
    row = end;
  }
  for (const auto& [name, values] : columns_) {
    if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) continue;
    Summarise(values, bounds, result.columns[name]);
  }
  return result;
}

}  // namespace millwright::app::web
