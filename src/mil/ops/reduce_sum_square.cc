#include "mil/ops/reduce.h"

namespace millwright::mil {
namespace {

double SumSquare(const double* values, size_t count, const Numerics& numerics) {
  return SumOf(values, count, numerics, [](double x) { return x * x; });
}

}  // namespace

const OpDef k_reduce_sum_square = {
    .name = "reduce_sum_square",
    .doc = R"(
The sum of x * x along `axes`, summed as in reduce_sum.
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params = ReduceParams(),
    .infer = InferReduce,
    .evaluate = EvaluateReduce<SumSquare>,
};

}  // namespace millwright::mil
