#include <cmath>
#include <numeric>

#include "mil/ops/pool.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) { return InferPool(call, 2); }

double L2(const PoolWindow& window, bool) {
  const std::vector<double>& x = window.elements;
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return EvaluatePool(call, results[0], L2);
}

}  // namespace

const OpDef k_l2_pool = {
    .name = "l2_pool",
    .doc = R"(
The square root of the sum of x * x over each window, summed wide in every precision.
  x             [n, C, *D], fp16 or fp32, 1 or 2 spatial axes
  kernel_sizes  constant list, one positive entry a spatial axis
  strides       constant list, default all 1
  pad_type      constant string: "valid", "same", "same_lower" or "custom", as in conv
  pad           constant list: before and after each axis in turn, with "custom" only
  ceil_mode     constant bool, default false; where true the number of windows is rounded up, and one that
                begins behind the input is left out; needs as much padding before as after
Opset ios15. Source: coremltools, MIL ops, iOS15 pool.)",
    .params =
        {{.name = "x"},
         {.name = "kernel_sizes", .constant = true, .kind = ParamKind::kInts},
         {.name = "strides", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "pad_type", .constant = true, .kind = ParamKind::kText},
         {.name = "pad", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "ceil_mode", .required = false, .constant = true, .kind = ParamKind::kBool}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
