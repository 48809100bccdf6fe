// The readers of JSON text: config.json, and a line of metrics.jsonl, which prints back as it was
// read.
#include <string_view>

#include "model/hf_config.h"
#include "telemetry/event.h"
#include "telemetry/metrics_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = millwright::model::ParseHfConfig(text, "fuzz", "fuzz");
  if (config && !config->config.IsValid()) std::abort();
  const auto event = millwright::telemetry::ParseJsonLine(text);
  if (event) {
    const std::string line = millwright::telemetry::ToJsonLine(*event);
    const auto again = millwright::telemetry::ParseJsonLine(line);
    if (!again || millwright::telemetry::ToJsonLine(*again) != line) std::abort();
  }
  return 0;
}
