// Reading metrics.jsonl back as a whole.
#pragma once

#include <string>

#include "base/result.h"
#include "telemetry/metrics.h"

namespace millwright::telemetry {

// Reads a whole file; a last line without its newline counts if it is a whole event. Lines that are
// not events are skipped and counted. Bad input: no file, or one with text that holds no event.
Result<Metrics> ReadMetrics(const std::string& path);

}  // namespace millwright::telemetry
