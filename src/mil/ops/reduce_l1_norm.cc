#include <cmath>

#include "mil/ops/reduce.h"

namespace millwright::mil {
namespace {

double L1Norm(const double* values, size_t count, const Numerics& numerics) {
  return SumOf(values, count, numerics, [](double x) { return std::abs(x); });
}

}  // namespace

const OpDef k_reduce_l1_norm = {
    .name = "reduce_l1_norm",
    .doc = R"(
The sum of |x| along `axes`, summed as in reduce_sum.
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params = ReduceParams(),
    .infer = InferReduce,
    .evaluate = EvaluateReduce<L1Norm>,
};

}  // namespace millwright::mil
