#include <cmath>
#include <numeric>

#include "mil/ops/pool.h"

namespace millwright::mil {
namespace {

double L2(const PoolWindow& window, bool) {
  const std::vector<double>& x = window.elements;
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
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
    .params = PoolParams(/*average=*/false),
    .infer = InferPool<2>,
    .evaluate = EvaluatePool<L2>,
};

}  // namespace millwright::mil
