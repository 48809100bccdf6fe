#include "app/dashboard/web/health_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "app/dashboard/web/thin_out.h"

namespace millwright::app::web {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

// "model.layers.3.self_attn.q_proj.weight" -> "self_attn.q_proj"; "model.norm.weight" ->
// "model.norm".
std::string KindOf(std::string_view name, int64_t layer) {
  const std::string infix = fmt::format(".{}.", layer);
  const size_t at = layer < 0 ? std::string_view::npos : name.find(infix);
  if (at != std::string_view::npos) name.remove_prefix(at + infix.size());
  if (name.ends_with(".weight")) name.remove_suffix(7);
  return std::string(name);
}

void Fill(const telemetry::TensorSummary& summary, float* cell) {
  cell[static_cast<size_t>(Measure::kNorm)] = static_cast<float>(summary.norm);
  cell[static_cast<size_t>(Measure::kLargest)] = static_cast<float>(summary.largest);
  cell[static_cast<size_t>(Measure::kZeros)] = static_cast<float>(summary.zeros);
  cell[static_cast<size_t>(Measure::kNotFinite)] = static_cast<float>(summary.not_finite);
}

}  // namespace

size_t HealthHistory::IndexOf(const telemetry::TensorHealth& health) {
  const auto [found, is_new] = index_.emplace(health.name, tensors_.size());
  if (is_new) {
    tensors_.push_back({health.name, KindOf(health.name, health.layer), health.layer,
                        static_cast<double>(health.elements)});
  }
  return found->second;
}

void HealthHistory::Add(const telemetry::TensorsEvent& event) {
  CutFrom(event.step);
  Event added{event.step, {}};
  Cell none;
  none.fill(kNone);
  for (const auto& health : event.tensors) {
    const size_t index = IndexOf(health);
    if (added.cells.size() <= index) added.cells.resize(index + 1, none);
    Fill(health.weight, added.cells[index].data());
    if (health.gradient) Fill(*health.gradient, added.cells[index].data() + kMeasures);
  }
  events_.push_back(std::move(added));
  latest_ = event;
  ThinOut(events_, kMostEvents);
}

void HealthHistory::CutFrom(int64_t step) {
  const auto first = std::lower_bound(events_.begin(), events_.end(), step,
                                      [](const Event& e, int64_t s) { return e.step < s; });
  events_.erase(first, events_.end());
  if (latest_ && latest_->step >= step) latest_.reset();
}

std::vector<std::string> HealthHistory::Kinds() const {
  std::vector<std::string> kinds;
  for (const Tensor& tensor : tensors_) {
    if (tensor.layer < 0) continue;
    if (std::find(kinds.begin(), kinds.end(), tensor.kind) == kinds.end()) {
      kinds.push_back(tensor.kind);
    }
  }
  return kinds;
}

std::vector<HealthHistory::Row> HealthHistory::RowsOf(const std::string& kind) const {
  std::map<int64_t, Row> layers;
  std::vector<Row> others;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor& tensor = tensors_[i];
    if (!kind.empty() && (tensor.layer < 0 || tensor.kind != kind)) continue;
    if (tensor.layer < 0) {
      others.push_back({tensor.kind, {i}});
      continue;
    }
    Row& row = layers[tensor.layer];
    row.name = fmt::format("layer {}", tensor.layer);
    row.tensors.push_back(i);
  }
  std::vector<Row> rows;
  for (auto& [layer, row] : layers) rows.push_back(std::move(row));
  rows.insert(rows.end(), others.begin(), others.end());
  return rows;
}

float HealthHistory::Combine(const Event& event, const Row& row,
                             const HealthQuestion& question) const {
  const size_t slot = static_cast<size_t>(question.measure) + (question.gradients ? kMeasures : 0);
  double sum = 0, weight = 0, largest = 0;
  for (const size_t i : row.tensors) {
    const double value = i < event.cells.size() ? event.cells[i][slot] : kNone;
    if (std::isnan(value)) continue;
    const double elements = question.measure == Measure::kZeros ? tensors_[i].elements : 1;
    sum += question.measure == Measure::kNorm ? value * value : value * elements;
    weight += elements;
    largest = std::max(largest, value);
  }
  if (weight == 0) return kNone;
  switch (question.measure) {
    case Measure::kNorm:
      return static_cast<float>(std::sqrt(sum));
    case Measure::kLargest:
      return static_cast<float>(largest);
    case Measure::kZeros:
      return static_cast<float>(sum / weight);
    case Measure::kNotFinite:
      return static_cast<float>(sum);
  }
  return kNone;
}

HealthMap HealthHistory::Draw(const HealthQuestion& question, size_t max_columns) const {
  HealthMap map;
  const std::vector<Row> rows = RowsOf(question.kind);
  for (const Row& row : rows) map.rows.push_back(row.name);
  map.values.resize(rows.size());
  const size_t columns = std::max<size_t>(max_columns, 1);
  const size_t together = (events_.size() + columns - 1) / columns;
  for (size_t first = 0; first < events_.size(); first += together) {
    const size_t end = std::min(first + together, events_.size());
    map.steps.push_back(events_[end - 1].step);
    for (size_t r = 0; r < rows.size(); ++r) {
      float value = kNone;
      for (size_t e = first; e < end; ++e) {
        value = std::fmax(value, Combine(events_[e], rows[r], question));
      }
      map.values[r].push_back(value);
    }
  }
  return map;
}

}  // namespace millwright::app::web
