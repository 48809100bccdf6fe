// What is known of a run besides its metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "telemetry/event.h"

namespace millwright::telemetry {

struct Surroundings {
  double now = 0;                      // seconds since 1970
  bool exists = true;                  // there is a metrics.jsonl
  std::optional<double> last_write;    // when it was written last
  std::optional<uint64_t> free_bytes;  // of the disk that it lies on
  std::optional<bool> process_lives;   // nothing of a run on another machine
};

// Seconds since 1970.
double WallClock();
// This machine's name.
std::string HostName();

// Looks at the folder, the disk and the process that `config` names (null: not known). A process
// whose number another user's process has taken counts as alive.
Surroundings LookAround(const std::string& run_dir, const ConfigEvent* config);

}  // namespace millwright::telemetry
