// Reading metrics.jsonl back as a whole.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "telemetry/metrics.h"

namespace millwright::telemetry {

// Reads a whole file; a last line without its newline counts if it is a whole event. Lines that are
// not events are skipped and counted. `also` is handed every event, in the order of the file. Bad
// input: no file, or one with text that holds no event.
Result<Metrics> ReadMetrics(const std::string& path,
                            const std::function<void(const Event&)>& also = nullptr);

}  // namespace millwright::telemetry
