#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const auto rank = static_cast<int64_t>(call.type("x").shape.size());
  if (rank == 0) return call.Bad("'x' must be a tensor, found {}", ToString(call.type("x")));
  return std::vector<Type>{{DType::kInt32, {rank}}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Shape& shape = call.type("x").shape;
  return std::vector<Array>{{results[0], {shape.begin(), shape.end()}}};
}

}  // namespace

const OpDef k_shape = {
    .name = "shape",
    .doc = R"(
The lengths of the axes of x, as int32.
  x       any tensor of rank 1 or more
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "x"}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
