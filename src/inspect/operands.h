// What an operation reads.
#pragma once

#include <vector>

#include "mil/program.h"

namespace millwright::inspect {

// Every value among the arguments of `operation`, in their order; a value that is read twice comes
// twice.
inline std::vector<mil::ValueId> Operands(const mil::Operation& operation) {
  std::vector<mil::ValueId> operands;
  for (const mil::Argument& argument : operation.arguments) {
    if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) operands.push_back(*value);
    if (const auto* tuple = std::get_if<std::vector<mil::ValueId>>(&argument.value)) {
      operands.insert(operands.end(), tuple->begin(), tuple->end());
    }
  }
  return operands;
}

}  // namespace millwright::inspect
