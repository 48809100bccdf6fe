#include "telemetry/finding.h"

#include <cstddef>

namespace millwright::telemetry {

std::string_view SeverityName(Severity severity) {
  static constexpr std::string_view kNames[] = {"note", "warning", "alarm"};
  return kNames[static_cast<size_t>(severity)];
}

}  // namespace millwright::telemetry
