#include <utility>

#include "mil/ops/compressed.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckDType(call, "data", kCompressed); !status) return status.error();
  const Type& data = call.type("data");
  const Status status = CheckShiftAndScale(call, data.dtype, data.shape);
  if (!status) return status.error();
  return std::vector<Type>{{call.type("scale").dtype, data.shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  Array result{results[0], call.array("data").data};
  ShiftAndScale(call, results[0].shape, &result.data);
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_constexpr_blockwise_shift_scale = {
    .name = "constexpr_blockwise_shift_scale",
    .doc = R"(
scale * (data - offset), at compile time. Each entry of scale and offset belongs to a block of data: on every
axis their length divides that of data.
  data    int4, uint4, int8, uint8, fp16 or fp32 constant, rank 1 or more
  scale   fp16 or fp32 constant of the same rank; its dtype is the result's
  offset  constant of the shape of scale, a float or of the dtype of data, default 0
Opset ios18. Source: coremltools, MIL ops, iOS18 compression.)",
    .params = {{.name = "data", .constant = true},
               {.name = "scale", .constant = true},
               {.name = "offset", .required = false, .constant = true}},
    .attributes_are_params = true,
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 18,
};

}  // namespace millwright::mil
