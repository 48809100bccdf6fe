#include "mil/ops/compressed.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckDType(call, "nonzero_data", kCompressed); !status) return status.error();
  Status status = CheckSparse(call, "nonzero_data", "data_mask");
  if (!status) return status.error();
  const Type& data = call.type("nonzero_data");
  status = CheckShiftAndScale(call, data.dtype, call.type("data_mask").shape);
  if (!status) return status.error();
  return std::vector<Type>{call.type("data_mask"), {call.type("scale").dtype, data.shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  // A mask in a weight file is seen here first.
  const Status status = CheckSparse(call, "nonzero_data", "data_mask");
  if (!status) return status.error();
  const std::vector<double>& mask = call.array("data_mask").data;
  std::vector<double> dense = Spread(call.array("nonzero_data").data, mask);
  ShiftAndScale(call, results[0].shape, &dense);
  return std::vector<Array>{{results[0], mask}, {results[1], Picked(dense, mask)}};
}

}  // namespace

const OpDef k_constexpr_sparse_blockwise_shift_scale = {
    .name = "constexpr_sparse_blockwise_shift_scale",
    .doc = R"(
constexpr_blockwise_shift_scale of data that is 0 where a mask is 0: two results, the mask and what becomes
of the other elements.
  data_mask     uint1 constant, rank 1 or more, the shape of the whole data
  nonzero_data  constant with an element for each 1 of data_mask, in row-major order: int4, uint4, int8,
                uint8, fp16 or fp32
  scale         fp16 or fp32 constant of the rank of data_mask; its dtype is the second result's
  offset        constant of the shape of scale, a float or of the dtype of nonzero_data, default 0
Opset ios18. Source: coremltools, MIL ops, iOS18 compression.)",
    .params = {{.name = "data_mask", .constant = true},
               {.name = "nonzero_data", .constant = true},
               {.name = "scale", .constant = true},
               {.name = "offset", .required = false, .constant = true}},
    .attributes_are_params = true,
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 18,
};

}  // namespace millwright::mil
