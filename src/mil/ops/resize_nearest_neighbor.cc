#include "mil/ops/resample.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) { return InferResize(call, 0); }

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return ResampleNearest(call, results[0]);
}

}  // namespace

const OpDef k_resize_nearest_neighbor = {
    .name = "resize_nearest_neighbor",
    .doc = R"(
The last two axes resized, each element i of the new length taken from floor(i old / new).
  x                   [*D, H, W], fp16 or fp32, rank 3 or more
  target_size_height  constant int, rows of the result
  target_size_width   constant int, columns of the result
Opset ios15. Source: coremltools, MIL ops, iOS15 image_resizing.)",
    .params = {{.name = "x"},
               {.name = "target_size_height", .constant = true, .kind = ParamKind::kInt},
               {.name = "target_size_width", .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
