// The flags that say how the Neural Engine is reached.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/device.h"

namespace millwright::app {

struct AneFlags {
  std::vector<std::string> libraries;
  std::string path = "inmemory";
  int compile_budget = 0;
};

// --ane-path, --ane-library and --ane-compile-budget.
void AddAneFlags(CLI::App& command, AneFlags& flags);

// Bad input names the flag.
Result<device::AneOptions> AneOptionsFromFlags(const AneFlags& flags);

// The flags that give these values.
std::vector<std::string> ArgumentsOf(const AneFlags& flags);

// What --precision is where it is not given: ane computes in its own, the others in fp32.
std::string_view DefaultPrecision(std::string_view device);

}  // namespace millwright::app
