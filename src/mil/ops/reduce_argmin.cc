#include "mil/ops/reduce.h"

namespace millwright::mil {

const OpDef k_reduce_argmin = {
    .name = "reduce_argmin",
    .doc = R"(
The index of the smallest element of x along an axis; the first one where there are several.
  x             fp16, fp32 or int32, rank 1 or more
  axis          constant int, default -1
  keep_dims     constant bool, default false: the axis stays with length 1
  output_dtype  constant string, "int32" (default) or "uint16" (ios17)
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 reduction.)",
    .params = ReduceArgParams(),
    .infer = InferReduceArg,
    .evaluate = EvaluateReduceArg<Smaller>,
};

}  // namespace millwright::mil
