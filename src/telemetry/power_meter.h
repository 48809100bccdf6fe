// What the machine draws, where it tells.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace millwright::telemetry {

class PowerMeter {
 public:
  virtual ~PowerMeter() = default;
  // Mean watts since the last call, by part of the machine; of the first call nothing.
  virtual std::map<std::string, double> Watts() = 0;
};

// Linux: the energy counters of Intel's and AMD's processors below `root`, named "package-0",
// "dram-0", ... Null where there are none that may be read (by default only root may).
// Source: https://docs.kernel.org/power/powercap/powercap.html
std::unique_ptr<PowerMeter> OpenRapl(const std::string& root = "/sys/class/powercap");

// macOS: Apple's powermetrics in the background, "cpu", "gpu" and "ane". Null where the program
// `command` is not there or may not run (only root may).
std::unique_ptr<PowerMeter> StartPowermetrics(const std::string& command = "/usr/bin/powermetrics");

// Either, or null.
std::unique_ptr<PowerMeter> OpenPowerMeter();

// The watts of the last sample in the text that powermetrics prints ("CPU Power: 1234 mW").
std::map<std::string, double> ParsePowermetrics(const std::string& text);

}  // namespace millwright::telemetry
