// What a compilation notes about itself on the way, for report.h.
#pragma once

#include <vector>

#include "device/cpu/report.h"

namespace millwright::device::cpu {

struct Trace {
  std::vector<int> group;                       // by operation: Lowering::group
  std::vector<std::vector<CompileRule>> rules;  // by operation, each once
  std::vector<int> owners;                      // by step: the operation, -1 for surfaces
};

}  // namespace millwright::device::cpu
