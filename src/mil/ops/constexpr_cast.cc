#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckDType(call, "source_val", {DType::kFp16}); !status) {
    return status.error();
  }
  if (const std::string dtype = call.Text("output_dtype", ""); dtype != "fp32") {
    return call.Bad("'output_dtype' must be \"fp32\", found \"{}\"", dtype);
  }
  return std::vector<Type>{{DType::kFp32, call.type("source_val").shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return std::vector<Array>{{results[0], call.array("source_val").data}};
}

}  // namespace

const OpDef k_constexpr_cast = {
    .name = "constexpr_cast",
    .doc = R"(
fp16 weights as fp32, at compile time. Its parameters stand in the brackets (ios16) or parentheses (ios18).
  source_val    an fp16 constant
  output_dtype  constant string, "fp32"
Opset ios16. Source: coremltools, MIL ops, iOS16 constexpr_ops and iOS18 compression.)",
    .params = {{.name = "source_val", .constant = true},
               {.name = "output_dtype", .constant = true, .kind = ParamKind::kText}},
    .attributes_are_params = true,
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 16,
};

}  // namespace millwright::mil
