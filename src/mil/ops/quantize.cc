#include <algorithm>
#include <cmath>

#include "mil/ops/affine.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  Status status = CheckFloat(call, "input");
  if (!status) return status.error();
  const std::string name = call.Text("output_dtype", "");
  const std::optional<DType> dtype = DTypeFromName(name);
  if (dtype != DType::kInt8 && dtype != DType::kUint8) {
    return call.Bad("'output_dtype' must be \"int8\" or \"uint8\", found \"{}\"", name);
  }
  if (status = CheckAffine(call, "input", *dtype); !status) return status.error();
  if (status = CheckSameDType(call, "input", "scale"); !status) return status.error();
  return std::vector<Type>{{*dtype, call.type("input").shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const bool is_signed = results[0].dtype == DType::kInt8;
  const double low = is_signed ? -128.0 : 0.0;
  const double high = is_signed ? 127.0 : 255.0;
  const auto quantize = [&](double value, double scale, double zero_point) {
    return std::clamp(std::nearbyint(value / scale) + zero_point, low, high);
  };
  return std::vector<Array>{MapAffine(call, "input", results[0], quantize)};
}

}  // namespace

const OpDef k_quantize = {
    .name = "quantize",
    .doc = R"(
clip(round(input / scale) + zero_point), element by element; halves round to even, results are clipped
to the range of output_dtype.
  input         fp16 or fp32
  scale         constant of the input's dtype, a scalar or a vector along axis
  zero_point    constant of output_dtype, a scalar or a vector along axis; default 0
  axis          constant int, needed where scale or zero_point is a vector
  output_dtype  "int8" or "uint8"
Opset ios17. Source: coremltools, MIL ops, iOS17 quantization_ops.)",
    .params = {{.name = "input"},
               {.name = "scale", .constant = true},
               {.name = "zero_point", .required = false, .constant = true},
               {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt},
               {.name = "output_dtype", .constant = true, .kind = ParamKind::kText}},
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 17,
};

}  // namespace millwright::mil
