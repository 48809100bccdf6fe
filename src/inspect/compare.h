// Where two runs of one program part.
//
// For every operation f, in order, with its operands as each run had them (x in run a, x' in run
// b):
//   a - b  =  (a - f(x))  +  (f(x) - f(x'))  +  (f(x') - b)
// that is: run a's own error, what was inherited, run b's own error. f is evaluated in double, so
// that all three are known. An operation parts the runs where
//   ||a - b||  >  own bound of a + inherited + own bound of b
// with the bounds of error_bound.h: something other than rounding happened, here. It also parts
// them where rounding alone cost half of all digits, ||a - b|| > sqrt(u) ||b||, and no operand was
// that far apart: the operation amplifies what it inherits (cancellation, mostly).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "inspect/diagnose.h"
#include "inspect/error_bound.h"
#include "inspect/run_values.h"
#include "inspect/tensor_stats.h"

namespace millwright::inspect {

enum class Parting {
  kNone,
  kOwnError,   // beyond what rounding and the operands explain
  kAmplified,  // half of the digits are gone, by rounding
};

// An operand of an operation, in run a: a tensor of floats.
struct OperandRange {
  std::string id;
  mil::Type type;
  TensorStats stats;
};

// One result of one operation in both runs.
struct ComparedValue {
  const mil::Operation* operation = nullptr;
  mil::ValueId value = -1;
  double difference = 0;  // ||a - b|| / ||b||, over the elements that are finite in both
  double inherited = 0;   // ||f(x) - f(x')||, likewise relative
  double bound = 0;       // own bounds and inherited, likewise relative
  int64_t kinds = 0;      // elements that are finite in one run only, or infinities of other signs
  Parting parting = Parting::kNone;
  // The element that lies furthest apart: its place, both values, and the distance in units of the
  // last place of the declared dtype; the largest int64 where one of them is no finite number.
  int64_t worst = 0;
  double worst_a = 0, worst_b = 0;
  int64_t ulp = 0;
};

struct Comparison {
  std::vector<ComparedValue> values;   // in the order of the program
  std::optional<size_t> first;         // the first that parts
  std::vector<OperandRange> operands;  // of the first
  std::vector<std::string> reasons;    // why it parts, most telling first
};

// The values of two runs of the function of `evaluator`, whose own precision does not matter, and
// how each was computed. Run b is the reference's.
struct TwoRuns {
  const device::Evaluator& evaluator;
  const RunValues& a;
  const RunValues& b;
  Arithmetic arithmetic_a, arithmetic_b;
};

Result<Comparison> Compare(const TwoRuns& runs);

}  // namespace millwright::inspect
