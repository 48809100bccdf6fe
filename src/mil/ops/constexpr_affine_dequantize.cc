#include "mil/ops/affine.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  Status status = CheckDType(call, "quantized_data", {DType::kInt8, DType::kUint8});
  if (!status) return status.error();
  const Type& data = call.type("quantized_data");
  if (status = CheckAffine(call, "quantized_data", data.dtype); !status) return status.error();
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), data.shape.size());
  if (!axis) return axis.error();
  return std::vector<Type>{{call.type("scale").dtype, data.shape}};
}

double Dequantize(double value, double scale, double zero_point) {
  return scale * (value - zero_point);
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return std::vector<Array>{MapAffine(call, "quantized_data", results[0], Dequantize)};
}

}  // namespace

const OpDef k_constexpr_affine_dequantize = {
    .name = "constexpr_affine_dequantize",
    .doc = R"(
scale * (quantized_data - zero_point), at compile time. Its parameters stand in the brackets.
  quantized_data  int8 or uint8 constant
  zero_point      a scalar of that dtype, or a vector along axis
  scale           fp16 or fp32, a scalar or a vector along axis; its dtype is the result's
  axis            the axis of the vectors; must be inside the tensor also where there is none
Opset ios16. Source: coremltools, MIL ops, iOS16 constexpr_ops.)",
    .params = {{.name = "quantized_data", .constant = true},
               {.name = "zero_point", .constant = true},
               {.name = "scale", .constant = true},
               {.name = "axis", .constant = true, .kind = ParamKind::kInt}},
    .attributes_are_params = true,
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 16,
};

}  // namespace millwright::mil
