#include <cmath>

#include "mil/ops/reduce.h"

namespace millwright::mil {
namespace {

double Max(const double* values, size_t count, const Numerics&) {
  double largest = values[0];
  for (size_t i = 1; i < count; ++i) {
    if (std::isnan(values[i]) || values[i] > largest) largest = values[i];
  }
  return largest;
}

}  // namespace

const OpDef k_reduce_max = {
    .name = "reduce_max",
    .doc = R"(
The largest element of x along `axes`; NaN where there is one.
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params =
        {{.name = "x"},
         {.name = "axes", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "keep_dims", .required = false, .constant = true, .kind = ParamKind::kBool}},
    .infer = InferReduce,
    .evaluate = EvaluateReduce<Max>,
};

}  // namespace millwright::mil
