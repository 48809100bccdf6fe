#include <algorithm>
#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

constexpr std::initializer_list<DType> kCastable = {DType::kFp16,  DType::kFp32,  DType::kInt8,
                                                    DType::kUint8, DType::kInt16, DType::kUint16,
                                                    DType::kInt32, DType::kBool};

Types Infer(const Call& call) {
  if (Status status = CheckDType(call, "x", kCastable); !status) return status.error();
  const std::string name = call.Text("dtype", "");
  const std::optional<DType> dtype = DTypeFromName(name);
  if (!dtype || std::ranges::find(kCastable, *dtype) == kCastable.end()) {
    return call.Bad("'dtype' cannot be \"{}\"", name);
  }
  return std::vector<Type>{{*dtype, call.type("x").shape}};
}

double Truncated(double x) { return std::trunc(x); }
double Unchanged(double x) { return x; }

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const bool to_integer = !IsFloat(results[0].dtype) && results[0].dtype != DType::kBool;
  const auto convert = to_integer ? Truncated : Unchanged;
  return std::vector<Array>{MapElements(call.array("x"), results[0], convert)};
}

}  // namespace

const OpDef k_cast = {
    .name = "cast",
    .doc = R"(
x as another dtype: floats are rounded to it, towards zero where it is an integer (and kept inside its
range); as bool, whatever is not 0 is true.
  x       any numeric tensor
  dtype   constant string: "fp16", "fp32", "int32", "bool"; with ios17 also "int8", "uint8", "int16",
          "uint16"
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 elementwise_unary.)",
    .params = {{.name = "x"}, {.name = "dtype", .constant = true, .kind = ParamKind::kText}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
