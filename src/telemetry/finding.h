// Something about a run that its user should know, in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/event.h"

namespace millwright::telemetry {

enum class Severity : uint8_t { kNote, kWarning, kAlarm };
std::string_view SeverityName(Severity severity);  // "note", "warning", "alarm"

struct Finding {
  Severity severity = Severity::kNote;
  int64_t step = 0;  // where it was seen; 0: at none
  std::string text;  // "loss is NaN or infinite at step 57"
};

}  // namespace millwright::telemetry
