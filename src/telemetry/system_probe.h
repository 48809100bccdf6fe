// The process and the machine in figures.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "telemetry/event.h"
#include "telemetry/power_meter.h"

namespace millwright::telemetry {

class SystemProbe {
 public:
  // `power` may be null.
  explicit SystemProbe(std::unique_ptr<PowerMeter> power);

  // Now; CPU and power as means since the last call, or since the beginning. A few small files are
  // read. The event's step is left to the caller.
  SystemEvent Measure();

 private:
  struct Ticks {
    double busy = 0, all = 0;
  };
  static std::optional<Ticks> MachineTicks();

  std::unique_ptr<PowerMeter> power_;
  Stopwatch watch_;
  double process_seconds_ = 0;
  std::optional<Ticks> ticks_;
};

}  // namespace millwright::telemetry
