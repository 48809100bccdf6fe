#include "telemetry/system_probe.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "base/memory_info.h"
#include "telemetry/surroundings.h"

namespace millwright::telemetry {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double ProcessSeconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

// 0 where there is no /proc.
int64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  if (!(file >> size >> resident)) return 0;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

SystemProbe::SystemProbe(std::unique_ptr<PowerMeter> power)
    : power_(std::move(power)), process_seconds_(ProcessSeconds()), ticks_(MachineTicks()) {
  if (power_ != nullptr) power_->Watts();
}

// The first line of /proc/stat: cpu user nice system idle iowait irq softirq steal ...
std::optional<SystemProbe::Ticks> SystemProbe::MachineTicks() {
  std::ifstream file("/proc/stat");
  std::string name;
  if (!(file >> name) || name != "cpu") return std::nullopt;
  Ticks ticks;
  double value = 0;
  for (int field = 0; field < 8 && file >> value; ++field) {
    ticks.all += value;
    if (field != 3 && field != 4) ticks.busy += value;
  }
  return ticks;
}

SystemEvent SystemProbe::Measure() {
  SystemEvent event;
  event.time = WallClock();
  event.rss_bytes = ResidentBytes();
  // The system counts pages in batches, so that the two may differ by a few.
  event.peak_rss_bytes = std::max(event.rss_bytes, static_cast<int64_t>(PeakResidentMemory()));
  const double seconds = watch_.ms() / 1000, used = ProcessSeconds();
  if (seconds > 0) event.process_cpu = (used - process_seconds_) / seconds;
  const auto ticks = MachineTicks();
  if (ticks && ticks_ && ticks->all > ticks_->all) {
    event.machine_cpu = (ticks->busy - ticks_->busy) / (ticks->all - ticks_->all);
  }
  if (power_ != nullptr) event.watts = power_->Watts();
  process_seconds_ = used;
  ticks_ = ticks;
  watch_.Restart();
  return event;
}

}  // namespace millwright::telemetry
