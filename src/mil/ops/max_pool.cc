#include <cmath>
#include <limits>

#include "mil/ops/pool.h"

namespace millwright::mil {
namespace {

double Max(const PoolWindow& window, bool) {
  double largest = -std::numeric_limits<double>::infinity();
  for (double x : window.elements) {
    if (std::isnan(x) || x > largest) largest = x;
  }
  return largest;
}

}  // namespace

const OpDef k_max_pool = {
    .name = "max_pool",
    .doc = R"(
The largest element of each window; padding does not count.
  x             [n, C, *D], fp16 or fp32, 1 to 3 spatial axes
  kernel_sizes  constant list, one positive entry a spatial axis
  strides       constant list, default all 1
  pad_type      constant string: "valid", "same", "same_lower" or "custom", as in conv
  pad           constant list: before and after each axis in turn, with "custom" only
  ceil_mode     constant bool, default false; where true the number of windows is rounded up, and one that
                begins behind the input is left out; needs as much padding before as after
Opset ios15. Source: coremltools, MIL ops, iOS15 pool.)",
    .params = PoolParams(/*average=*/false),
    .infer = InferPool<3>,
    .evaluate = EvaluatePool<Max>,
};

}  // namespace millwright::mil
