#include "mil/ops/reduce.h"

namespace millwright::mil {
namespace {

double Mean(const double* values, size_t count, const Numerics& numerics) {
  return numerics.Sum(values, 1, count) / static_cast<double>(count);
}

}  // namespace

const OpDef k_reduce_mean = {
    .name = "reduce_mean",
    .doc = R"(
The mean of x along `axes`: the sum, as in reduce_sum, divided by the number of elements.
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params = ReduceParams(),
    .infer = InferReduce,
    .evaluate = EvaluateReduce<Mean>,
};

}  // namespace millwright::mil
