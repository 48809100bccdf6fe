// Reading metrics.jsonl back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "telemetry/event.h"

namespace millwright::telemetry {

// One line, without its newline. null numbers read as NaN. Bad input, by reason, for anything that
// ToJsonLine does not write.
Result<Event> ParseJsonLine(std::string_view line);

// A run as its metrics tell it. A step that was done again after a resume counts with its last
// line.
struct Metrics {
  std::vector<Event> events;  // all, in the order of the file
  std::map<int64_t, StepEvent> steps;
  std::map<int64_t, UpdateEvent> updates;
  std::map<int64_t, ValidationEvent> validations;
  int64_t skipped_lines = 0;  // cut off by a crash, or of a type of a later version
};

// Reads a whole file. Lines that are not events are skipped and counted; bad input if a file with
// text holds no event at all.
Result<Metrics> ReadMetrics(const std::string& path);

}  // namespace millwright::telemetry
