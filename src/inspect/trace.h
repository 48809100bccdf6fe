// What every operation of a run made.
#pragma once

#include <vector>

#include "base/product_counters.h"
#include "base/result.h"
#include "inspect/run_values.h"
#include "inspect/tensor_stats.h"

namespace millwright::inspect {

// One result of one operation.
struct TracedValue {
  const mil::Operation* operation = nullptr;
  mil::ValueId value = -1;
  TensorStats stats;     // subnormal by the declared dtype
  ProductCounts counts;  // of sums of products: what the ANE would make of these operands (fact E1)
};

// In the order of the program. `values` are those of a run of the function of `evaluator`, whose
// own precision does not matter.
Result<std::vector<TracedValue>> Trace(const device::Evaluator& evaluator, const RunValues& values);

}  // namespace millwright::inspect
