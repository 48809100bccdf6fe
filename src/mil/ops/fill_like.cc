#include "mil/ops/fill_value.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Result<DType> dtype = ReadFillDType(call);
  if (!dtype) return dtype.error();
  return std::vector<Type>{{*dtype, call.type("ref_tensor").shape}};
}

}  // namespace

const OpDef k_fill_like = {
    .name = "fill_like",
    .doc = R"(
A tensor of one value in the shape of another.
  ref_tensor  any tensor; only its shape counts
  value       constant scalar, fp16, fp32, int32 or bool; its dtype is the result's; default fp32 0
Opset ios16. Source: coremltools, MIL ops, iOS16 tensor_operation.)",
    .params = {{.name = "ref_tensor"}, {.name = "value", .required = false, .constant = true}},
    .infer = Infer,
    .evaluate = EvaluateFill,
    .since = 16,
};

}  // namespace millwright::mil
