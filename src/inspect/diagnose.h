// Why an operation's result is not what exact arithmetic gives: the usual causes, with their
// evidence.
#pragma once

#include <string>
#include <vector>

#include "base/numerics.h"
#include "base/result.h"
#include "device/reference/evaluator.h"
#include "inspect/run_values.h"

namespace millwright::inspect {

// An operation whose result `value` is in doubt, in a run with these values (constants included).
struct Suspect {
  const device::Evaluator& evaluator;
  const mil::Operation& operation;
  mil::ValueId value;
  const RunValues& values;
  Precision precision;
  bool amplified = false;  // its own error is small; that of its operands grew
};

// One sentence a cause, the most telling first; never empty. Facts (E1, ...) are those of
// docs/ane.md.
Result<std::vector<std::string>> Diagnose(const Suspect& suspect);

}  // namespace millwright::inspect
