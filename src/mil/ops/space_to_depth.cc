#include "mil/ops/blocks.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) { return InferToDepth(call, "block_size"); }

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return ToDepth(call, results[0], call.Int("block_size", 1), BlockOrder::kPlaceFirst);
}

}  // namespace

const OpDef k_space_to_depth = {
    .name = "space_to_depth",
    .doc = R"(
Blocks of b x b elements become channels, the inverse of depth_to_space:
  result[n, (i b + j) C + c, h, w] = x[n, c, h b + i, w b + j]
  x           [n, C, H b, W b], fp16 or fp32
  block_size  constant int, b
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"}, {.name = "block_size", .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
