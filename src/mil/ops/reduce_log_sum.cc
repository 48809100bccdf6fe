#include <cmath>

#include "mil/ops/reduce.h"

namespace millwright::mil {
namespace {

double LogSum(const double* values, size_t count, const Numerics& numerics) {
  return std::log(numerics.Sum(values, 1, count));
}

}  // namespace

const OpDef k_reduce_log_sum = {
    .name = "reduce_log_sum",
    .doc = R"(
The natural logarithm of the sum of x along `axes`, summed as in reduce_sum.
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params = ReduceParams(),
    .infer = InferReduce,
    .evaluate = EvaluateReduce<LogSum>,
};

}  // namespace millwright::mil
