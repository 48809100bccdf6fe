#include "mil/ops/fill_value.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Shape shape = call.Ints("shape");
  if (Status status = CheckNewShape(call, shape); !status) return status.error();
  const Result<DType> dtype = ReadFillDType(call);
  if (!dtype) return dtype.error();
  return std::vector<Type>{{*dtype, shape}};
}

}  // namespace

const OpDef k_fill = {
    .name = "fill",
    .doc = R"(
A tensor of one value.
  shape   constant list, the result's shape, every entry positive
  value   constant scalar, fp16, fp32, int32 or bool; its dtype is the result's; default fp32 0
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "shape", .constant = true, .kind = ParamKind::kInts},
               {.name = "value", .required = false, .constant = true}},
    .infer = Infer,
    .evaluate = EvaluateFill,
};

}  // namespace millwright::mil
