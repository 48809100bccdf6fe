#include "mil/ops/reduce.h"

namespace millwright::mil {
namespace {

double Sum(const double* values, size_t count, const Numerics& numerics) {
  return numerics.Sum(values, 1, count);
}

}  // namespace

const OpDef k_reduce_sum = {
    .name = "reduce_sum",
    .doc = R"(
The sum of x along `axes`, in row-major order of the reduced axes. The ANE sums in fp16 (fact E5).
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params = ReduceParams(),
    .infer = InferReduce,
    .evaluate = EvaluateReduce<Sum>,
};

}  // namespace millwright::mil
