// What this machine offers, found out when the device is opened.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "device/ane/api.h"
#include "device/ane/target.h"

namespace millwright::device::ane {

struct Machine {
  std::string macos;                // "15.5"
  std::string chip;                 // "Apple M4 Pro"
  std::string architecture;         // "h16g", or empty where the system does not say
  unsigned cores = 0, engines = 0;  // 0: the system does not say
  Target target;
};

// Fails where there is no Neural Engine, or neither the architecture nor the chip's name is known.
Result<Machine> FindMachine(const Api& api);

// The machine, every symbol that was looked for, and the constraints that apply, a line each.
std::vector<std::string> CapabilityReport(const Machine& machine, const Api& api);

}  // namespace millwright::device::ane
