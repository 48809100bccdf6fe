#include "app/run_sinks.h"

#include <cstdio>

namespace millwright::app {

Status RunSinks::Write(const telemetry::Event& event) {
  for (Entry& entry : sinks_) {
    const auto status = entry.sink->Write(event);
    if (status || entry.warned) continue;
    entry.warned = true;
    fmt::print(stderr, "warning: {}; the run goes on\n", status.error().message);
  }
  return {};
}

}  // namespace millwright::app
