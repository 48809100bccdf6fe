#include "mil/ops/blocks.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) { return InferToDepth(call, "downscale_factor"); }

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return ToDepth(call, results[0], call.Int("downscale_factor", 1), BlockOrder::kChannelFirst);
}

}  // namespace

const OpDef k_pixel_unshuffle = {
    .name = "pixel_unshuffle",
    .doc = R"(
Blocks of f x f elements become channels, the inverse of pixel_shuffle:
  result[n, c f^2 + i f + j, h, w] = x[n, c, h f + i, w f + j]
  x                 [n, C, H f, W f], fp16 or fp32
  downscale_factor  constant int (a uint32 in Apple's text), f
Opset ios16. Source: coremltools, MIL ops, iOS16 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "downscale_factor", .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 16,
};

}  // namespace millwright::mil
