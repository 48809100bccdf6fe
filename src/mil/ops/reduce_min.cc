#include <cmath>

#include "mil/ops/reduce.h"

namespace millwright::mil {
namespace {

double Min(const double* values, size_t count, const Numerics&) {
  double smallest = values[0];
  for (size_t i = 1; i < count; ++i) {
    if (std::isnan(values[i]) || values[i] < smallest) smallest = values[i];
  }
  return smallest;
}

}  // namespace

const OpDef k_reduce_min = {
    .name = "reduce_min",
    .doc = R"(
The smallest element of x along `axes`; NaN where there is one.
  x          fp16, fp32 or int32
  axes       constant list of axes, negative ones count from the back; default all
  keep_dims  constant bool, default false: reduced axes stay with length 1
Opset ios15. Source: coremltools, MIL ops, iOS15 reduction.)",
    .params =
        {{.name = "x"},
         {.name = "axes", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "keep_dims", .required = false, .constant = true, .kind = ParamKind::kBool}},
    .infer = InferReduce,
    .evaluate = EvaluateReduce<Min>,
};

}  // namespace millwright::mil
