#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "telemetry/power_meter.h"

namespace millwright::telemetry {
namespace {

namespace fs = std::filesystem;

template <class T>
std::optional<T> ReadValue(const fs::path& path) {
  std::ifstream file(path);
  T value{};
  if (file >> value) return value;
  return std::nullopt;
}

// One counter of microjoules, which begins again at its range.
struct Zone {
  std::string name;
  fs::path path;
  double range = 0;
  double last = 0;
};

// "intel-rapl:1" is named package-1 by the system, "intel-rapl:1:0" only core or dram.
std::string NameOf(const std::string& folder, const std::string& name) {
  const size_t first = folder.find(':');
  const size_t second = folder.find(':', first + 1);
  if (second == std::string::npos) return name;
  return name + "-" + folder.substr(first + 1, second - first - 1);
}

class Rapl : public PowerMeter {
 public:
  explicit Rapl(std::vector<Zone> zones) : zones_(std::move(zones)) {}

  std::map<std::string, double> Watts() override {
    std::map<std::string, double> watts;
    const double seconds = watch_.ms() / 1000;
    watch_.Restart();
    for (Zone& zone : zones_) {
      const auto now = ReadValue<double>(zone.path / "energy_uj");
      if (!now) continue;
      double used = *now - zone.last;
      if (used < 0) used += zone.range;
      zone.last = *now;
      if (started_ && seconds > 0) watts[zone.name] = used * 1e-6 / seconds;
    }
    started_ = true;
    return watts;
  }

 private:
  std::vector<Zone> zones_;
  Stopwatch watch_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<PowerMeter> OpenRapl(const std::string& root) {
  std::vector<Zone> zones;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const auto name = ReadValue<std::string>(entry.path() / "name");
    const auto energy = ReadValue<double>(entry.path() / "energy_uj");
    const auto range = ReadValue<double>(entry.path() / "max_energy_range_uj");
    if (!name || !energy || !range) continue;
    zones.push_back({NameOf(entry.path().filename().string(), *name), entry.path(), *range});
  }
  if (zones.empty()) return nullptr;
  return std::make_unique<Rapl>(std::move(zones));
}

std::unique_ptr<PowerMeter> OpenPowerMeter() {
  auto meter = OpenRapl();
  return meter != nullptr ? std::move(meter) : StartPowermetrics();
}

}  // namespace millwright::telemetry
