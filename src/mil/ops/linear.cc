#include "mil/ops/product.h"
#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  for (std::string_view key : {"weight", "bias"}) {
    if (Status status = CheckSameDType(call, "x", key); !status) return status.error();
  }
  Type result = call.type("x");
  const Shape& weight = call.type("weight").shape;
  if (result.shape.empty() || weight.size() != 2 || weight[1] != result.shape.back()) {
    return call.Bad(
        "'weight' must have shape [D_out, D_in] with D_in the last axis of {}, found {}",
        ToString(result), ShapeToString(weight));
  }
  if (call.Has("bias") && call.type("bias").shape != Shape{weight[0]}) {
    return call.Bad("'bias' must have shape [{}], found {}", weight[0],
                    ShapeToString(call.type("bias").shape));
  }
  result.shape.back() = weight[0];
  return std::vector<Type>{result};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Array& x = call.array("x");
  const Array& weight = call.array("weight");
  const int64_t out = weight.type.shape[0];
  const int64_t in = weight.type.shape[1];
  const std::vector<double> transposed = Gathered(weight.data.data(), {in, out}, {1, in});
  Array result = NewArray(results[0]);
  Product(numerics, x.data.data(), transposed.data(), result.data.data(), x.type.elements() / in,
          out, in);
  if (call.Has("bias")) {
    const std::vector<double>& bias = call.array("bias").data;
    for (size_t i = 0; i < result.data.size(); ++i) result.data[i] += bias[i % bias.size()];
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_linear = {
    .name = "linear",
    .doc = R"(
x weight^T + bias along the last axis.
  x       [*D, D_in], fp16 or fp32
  weight  constant [D_out, D_in] of that dtype
  bias    constant [D_out] of that dtype, default 0
  result  [*D, D_out]
Opset ios15. Source: coremltools, MIL ops, iOS15 linear.)",
    .params = {{.name = "x"},
               {.name = "weight", .constant = true},
               {.name = "bias", .required = false, .constant = true}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
