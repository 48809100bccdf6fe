#include "inspect/trace.h"

#include "inspect/error_bound.h"

namespace millwright::inspect {

Result<std::vector<TracedValue>> Trace(const device::Evaluator& evaluator,
                                       const RunValues& values) {
  const mil::Function& function = evaluator.function();
  const RunValues all = WithConstants(evaluator, values);
  std::vector<TracedValue> traced;
  for (const mil::Operation& operation : function.operations) {
    if (!RunsAtRunTime(operation)) continue;
    ProductCounters counters;
    if (SumsProducts(operation)) {
      const auto counted =
          evaluator.Evaluate(operation, all, Numerics(Precision::kAne, {}, &counters));
      if (!counted) return counted.error();
    }
    for (const mil::ValueId value : operation.outputs) {
      const mil::Array& array = *all[static_cast<size_t>(value)];
      traced.push_back({.operation = &operation,
                        .value = value,
                        .stats = StatsOf(array.data, array.type.dtype),
                        .counts = counters.Read()});
    }
  }
  return traced;
}

}  // namespace millwright::inspect
