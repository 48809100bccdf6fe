#include "mil/ops/reduce.h"

namespace millwright::mil {

const OpDef k_reduce_max = {
    .name = "reduce_max",
    .doc = R"(
The largest element of x along `axes`; NaN where there is one.
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params = ReduceParams(),
    .infer = InferReduce,
    .evaluate = EvaluateReduce<Best<Larger>>,
};

}  // namespace millwright::mil
