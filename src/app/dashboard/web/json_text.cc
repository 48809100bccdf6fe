#include "app/dashboard/web/json_text.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

namespace millwright::app::web {
namespace {

// "[a,b,c]" of what `append` writes for each of `items`.
template <class Items, class Append>
std::string List(const Items& items, Append append) {
  std::string text = "[";
  for (const auto& item : items) {
    if (text.size() > 1) text += ',';
    append(item, text);
  }
  return text + ']';
}

void AppendNumber(double value, std::string& text) {
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(text), "{:.6g}", value);
  } else {
    text += "null";
  }
}

}  // namespace

std::string JsonNumber(double value) {
  std::string text;
  AppendNumber(value, text);
  return text;
}

std::string JsonNumbers(std::span<const float> values) {
  return List(values, [](float value, std::string& text) { AppendNumber(value, text); });
}

std::string JsonNumbers(std::span<const int64_t> values) {
  return List(values, [](int64_t value, std::string& text) {
    fmt::format_to(std::back_inserter(text), "{}", value);
  });
}

std::string JsonString(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string JsonStrings(std::span<const std::string> texts) {
  return List(texts, [](const std::string& one, std::string& text) { text += JsonString(one); });
}

std::string JsonBuckets(const Buckets& buckets) {
  std::string columns;
  for (const auto& [name, column] : buckets.columns) {
    if (!columns.empty()) columns += ',';
    columns += fmt::format("{}:{{\"mean\":{}", JsonString(name), JsonNumbers(column.mean));
    if (buckets.width > 1) {
      columns +=
          fmt::format(",\"low\":{},\"high\":{}", JsonNumbers(column.low), JsonNumbers(column.high));
    }
    columns += '}';
  }
  return fmt::format("{{\"width\":{},\"step\":{},\"columns\":{{{}}}}}", buckets.width,
                     JsonNumbers(buckets.step), columns);
}

std::string JsonHealthMap(const HealthMap& map) {
  const std::string values = List(map.values, [](const std::vector<float>& row, std::string& text) {
    text += JsonNumbers(row);
  });
  return fmt::format("{{\"steps\":{},\"rows\":{},\"values\":{}}}", JsonNumbers(map.steps),
                     JsonStrings(map.rows), values);
}

std::string JsonHistograms(const HistogramSeries& series) {
  std::vector<float> low, high;
  for (const telemetry::Histogram& histogram : series.histograms) {
    low.push_back(static_cast<float>(histogram.low));
    high.push_back(static_cast<float>(histogram.high));
  }
  const std::string counts =
      List(series.histograms, [](const telemetry::Histogram& histogram, std::string& text) {
        text += JsonNumbers(histogram.counts);
      });
  return fmt::format("{{\"steps\":{},\"low\":{},\"high\":{},\"counts\":{}}}",
                     JsonNumbers(series.steps), JsonNumbers(low), JsonNumbers(high), counts);
}

}  // namespace millwright::app::web
