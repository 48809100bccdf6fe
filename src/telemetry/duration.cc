#include "telemetry/duration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace millwright::telemetry {

std::string ReadableDuration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  seconds = std::clamp(seconds, 0.0, 1e12);
  const int64_t s = std::llround(seconds);
  if (seconds < 9.95) return fmt::format("{:.1f}s", seconds);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86400, s / 3600 % 24);
}

}  // namespace millwright::telemetry
