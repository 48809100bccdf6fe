#include "mil/ops/blocks.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) { return InferToSpace(call, "upscale_factor"); }

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return ToSpace(call, results[0], call.Int("upscale_factor", 1), BlockOrder::kChannelFirst);
}

}  // namespace

const OpDef k_pixel_shuffle = {
    .name = "pixel_shuffle",
    .doc = R"(
Channels become blocks of f x f elements:
  result[n, c, h f + i, w f + j] = x[n, c f^2 + i f + j, h, w]
  x               [n, C f^2, H, W], fp16 or fp32
  upscale_factor  constant int, f
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "upscale_factor", .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
