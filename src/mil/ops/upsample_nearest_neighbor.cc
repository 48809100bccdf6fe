#include "mil/ops/resample.h"

namespace millwright::mil {
namespace {

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return ResampleNearest(call, results[0]);
}

}  // namespace

const OpDef k_upsample_nearest_neighbor = {
    .name = "upsample_nearest_neighbor",
    .doc = R"(
The last two axes resized, each element i of the new length taken from floor(i old / new).
  x                    [*D, H, W], fp16 or fp32, rank 3 or more
  scale_factor_height  constant float or int, default 1; the result has floor(scale H) rows
  scale_factor_width   constant float or int, default 1; the result has floor(scale W) columns
Opset ios15. Source: coremltools, MIL ops, iOS15 image_resizing.)",
    .params = {{.name = "x"},
               {.name = "scale_factor_height", .required = false, .constant = true},
               {.name = "scale_factor_width", .required = false, .constant = true}},
    .infer = InferUpsample,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
