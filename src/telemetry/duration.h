// Seconds in words.
#pragma once

#include <string>

namespace millwright::telemetry {

// "0.8s" below ten seconds, "40s", "2m05s", "3h10m", "4d02h".
std::string ReadableDuration(double seconds);

}  // namespace millwright::telemetry
