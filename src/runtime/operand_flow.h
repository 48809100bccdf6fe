// What of a launch's operands need not pass through host memory.
#pragma once

#include <map>
#include <set>
#include <string>

#include "kernels/kernel.h"

namespace millwright::runtime {

// An operand of a kernel, in whatever launch of it came last.
struct OperandSource {
  kernels::KernelId kernel = kernels::KernelId::kSdpaFwd;
  std::string operand;

  auto operator<=>(const OperandSource&) const = default;
};

// Found from the list of launches: see train/residency.h. Whoever hands it to Session::Prepare
// answers for it: at each run the source still holds what host memory would.
struct OperandFlow {
  // Inputs, and where the device has them already: an output of another kernel, or an input that
  // was copied in for it.
  std::map<std::string, OperandSource, std::less<>> from;
  // Outputs that the host does not read: they stay on the device.
  std::set<std::string, std::less<>> stays;

  bool operator==(const OperandFlow&) const = default;
};

}  // namespace millwright::runtime
