#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) { return std::vector<Type>{call.type("x")}; }

Arrays Evaluate(const Call& call, std::span<const Type>, const Numerics&) {
  return std::vector<Array>{call.array("x")};
}

}  // namespace

const OpDef k_identity = {
    .name = "identity",
    .doc = R"(
x, unchanged.
  x       any tensor
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "x"}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
