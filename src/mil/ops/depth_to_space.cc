#include "mil/ops/blocks.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) { return InferToSpace(call, "block_size"); }

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return ToSpace(call, results[0], call.Int("block_size", 1), BlockOrder::kPlaceFirst);
}

}  // namespace

const OpDef k_depth_to_space = {
    .name = "depth_to_space",
    .doc = R"(
Channels become blocks of b x b elements, the place in the block counting slower than the channel:
  result[n, c, h b + i, w b + j] = x[n, (i b + j) C + c, h, w]
  x           [n, C b^2, H, W], fp16 or fp32
  block_size  constant int, b
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"}, {.name = "block_size", .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
