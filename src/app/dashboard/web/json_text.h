// JSON of numbers and tables, written as short as a plot allows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "app/dashboard/web/health_history.h"
#include "app/dashboard/web/histogram_history.h"
#include "app/dashboard/web/step_table.h"

namespace millwright::app::web {

// Six significant digits; null for what is not finite.
std::string JsonNumber(double value);
std::string JsonNumbers(std::span<const float> values);
std::string JsonNumbers(std::span<const int64_t> values);
// In quotes. Bytes that are not UTF-8 are replaced.
std::string JsonString(std::string_view text);
std::string JsonStrings(std::span<const std::string> texts);

// {"width":4,"step":[...],"columns":{"loss":{"mean":[...],"low":[...],"high":[...]}}}; without low
// and high where the width is 1, as they are the mean.
std::string JsonBuckets(const Buckets& buckets);
// {"steps":[...],"rows":[...],"values":[[...],...]}
std::string JsonHealthMap(const HealthMap& map);
// {"steps":[...],"low":[...],"high":[...],"counts":[[...],...]}
std::string JsonHistograms(const HistogramSeries& series);

}  // namespace millwright::app::web
