#include "mil/ops/affine.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  Status status = CheckDType(call, "input", {DType::kInt8, DType::kUint8});
  if (!status) return status.error();
  const Type& input = call.type("input");
  if (status = CheckAffine(call, "input", input.dtype); !status) return status.error();
  return std::vector<Type>{{call.type("scale").dtype, input.shape}};
}

double Dequantize(double value, double scale, double zero_point) {
  return scale * (value - zero_point);
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return std::vector<Array>{MapAffine(call, "input", results[0], Dequantize)};
}

}  // namespace

const OpDef k_dequantize = {
    .name = "dequantize",
    .doc = R"(
scale * (input - zero_point), element by element.
  input       int8 or uint8
  scale       constant fp16 or fp32, a scalar or a vector along axis; its dtype is the result's
  zero_point  constant of the input's dtype, a scalar or a vector along axis; default 0
  axis        constant int, needed where scale or zero_point is a vector
Opset ios17. Source: coremltools, MIL ops, iOS17 quantization_ops.)",
    .params = {{.name = "input"},
               {.name = "scale", .constant = true},
               {.name = "zero_point", .required = false, .constant = true},
               {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 17,
};

}  // namespace millwright::mil
