#include <numeric>

#include "mil/ops/pool.h"

namespace millwright::mil {
namespace {

double Avg(const PoolWindow& window, bool exclude_padding) {
  const double sum = std::accumulate(window.elements.begin(), window.elements.end(), 0.0);
  const auto inside = static_cast<double>(window.elements.size());
  return sum / (exclude_padding ? inside : static_cast<double>(window.places));
}

}  // namespace

const OpDef k_avg_pool = {
    .name = "avg_pool",
    .doc = R"(
The mean of each window: its sum, divided by the number of its places in the input and its padding.
Summed wide in every precision.
  x             [n, C, *D], fp16 or fp32, 1 to 3 spatial axes
  kernel_sizes  constant list, one positive entry a spatial axis
  strides       constant list, default all 1
  pad_type      constant string: "valid", "same", "same_lower" or "custom", as in conv
  pad           constant list: before and after each axis in turn, with "custom" only
  exclude_padding_from_average
                constant bool, default false; where true only places in the input are counted
  ceil_mode     constant bool, default false; where true the number of windows is rounded up, and one that
                begins behind the input is left out; needs as much padding before as after
Opset ios15. Source: coremltools, MIL ops, iOS15 pool.)",
    .params = PoolParams(/*average=*/true),
    .infer = InferPool<3>,
    .evaluate = EvaluatePool<Avg>,
};

}  // namespace millwright::mil
