// The curves of a report.
#include <fmt/format.h>

#include <cmath>

#include "app/dashboard/web/step_table.h"
#include "app/report/sections.h"
#include "app/report/svg_plot.h"

namespace millwright::app::report {
namespace {

constexpr size_t kPoints = 300;     // across a plot
constexpr double kSmoothed = 0.05;  // of the whole run: what the smoothed loss is a mean over

std::string Card(const Plot& plot) {
  return fmt::format("<section class=\"card\">\n{}</section>\n", RenderPlot(plot));
}

using Column = std::vector<float>;

std::vector<double> Wide(const Column& values) { return {values.begin(), values.end()}; }

// One number of every event, as few points as a plot can show.
template <class Events, class Value>
Curve CurveOf(const char* name, const char* style, const Events& events, const Value& value) {
  web::StepTable table;
  for (const auto& [step, event] : events) table.Append(step, {{"y", value(event)}});
  Curve curve{.name = name, .style = style};
  if (table.empty()) return curve;
  const web::Buckets buckets = table.Window(0, web::StepTable::kLast, kPoints);
  const auto& column = buckets.columns.at("y");
  curve.x.assign(buckets.step.begin(), buckets.step.end());
  curve.y = Wide(column.mean);
  curve.low = Wide(column.low);
  curve.high = Wide(column.high);
  return curve;
}

Curve WithoutBand(Curve curve) {
  curve.low.clear();
  curve.high.clear();
  return curve;
}

// A running mean that weighs the past less and less.
std::vector<double> Smooth(const std::vector<double>& values) {
  const double weight = 1 / std::max(1.0, kSmoothed * static_cast<double>(values.size()));
  std::vector<double> smooth;
  double mean = telemetry::kUnknown;
  for (const double value : values) {
    if (std::isfinite(value)) mean = std::isnan(mean) ? value : mean + weight * (value - mean);
    smooth.push_back(std::isfinite(value) ? mean : value);
  }
  return smooth;
}

}  // namespace

std::string LossPlot(const telemetry::Metrics& metrics) {
  Curve loss =
      CurveOf("loss, smoothed, and the range it lies in", "main", metrics.steps,
              [](const telemetry::StepEvent& event) { return static_cast<double>(event.loss); });
  loss.y = Smooth(loss.y);
  Plot plot{.title = "Loss by micro-step", .curves = {std::move(loss)}};
  if (metrics.validations.empty()) return Card(plot);
  Curve validation{.name = "validation", .style = "second", .dots = true};
  for (const auto& [step, event] : metrics.validations) {
    validation.x.push_back(static_cast<double>(step));
    validation.y.push_back(event.val_loss);
  }
  plot.curves.push_back(std::move(validation));
  return Card(plot);
}

std::string RatePlot(const telemetry::Metrics& metrics) {
  return Card({.title = "Learning rate",
               .curves = {WithoutBand(
                   CurveOf("learning rate", "third", metrics.steps,
                           [](const telemetry::StepEvent& event) { return event.lr; }))}});
}

std::string GradientPlot(const telemetry::Metrics& metrics) {
  return Card(
      {.title = "Gradient norm, before clipping",
       .curves = {CurveOf("gradient norm", "main", metrics.updates,
                          [](const telemetry::UpdateEvent& event) { return event.grad_norm; })},
       .logarithmic = true});
}

std::string SpeedPlot(const telemetry::Metrics& metrics) {
  return Card({.title = "Tokens a second",
               .curves = {WithoutBand(CurveOf(
                   "tokens a second", "third", metrics.steps,
                   [](const telemetry::StepEvent& event) { return event.tokens_per_s; }))}});
}

}  // namespace millwright::app::report
