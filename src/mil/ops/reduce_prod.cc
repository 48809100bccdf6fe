#include "mil/ops/reduce.h"

namespace millwright::mil {
namespace {

double Prod(const double* values, size_t count, const Numerics&) {
  double product = 1.0;
  for (size_t i = 0; i < count; ++i) product *= values[i];
  return product;
}

}  // namespace

const OpDef k_reduce_prod = {
    .name = "reduce_prod",
    .doc = R"(
The product of the elements of x along `axes`, multiplied in row-major order.
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params = ReduceParams(),
    .infer = InferReduce,
    .evaluate = EvaluateReduce<Prod>,
};

}  // namespace millwright::mil
