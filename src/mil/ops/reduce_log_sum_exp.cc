#include <algorithm>
#include <cmath>

#include "mil/ops/reduce.h"

namespace millwright::mil {
namespace {

double LogSumExp(const double* values, size_t count, const Numerics& numerics) {
  const double largest = *std::max_element(values, values + count);
  if (std::isinf(largest)) return largest;
  return largest + std::log(SumOf(values, count, numerics,
                                  [largest](double x) { return std::exp(x - largest); }));
}

}  // namespace

const OpDef k_reduce_log_sum_exp = {
    .name = "reduce_log_sum_exp",
    .doc = R"(
The natural logarithm of the sum of e^x along `axes`, computed as m + ln(sum of e^(x - m)) with the largest
element m, so that nothing overflows.
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params = ReduceParams(),
    .infer = InferReduce,
    .evaluate = EvaluateReduce<LogSumExp>,
};

}  // namespace millwright::mil
