#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) { return std::vector<Type>{call.type("val")}; }

// Devices load constants once, at compile time; this is for a caller that has the value at hand.
Arrays Evaluate(const Call& call, std::span<const Type>, const Numerics&) {
  return std::vector<Array>{call.array("val")};
}

}  // namespace

const OpDef k_const = {
    .name = "const",
    .doc = R"(
A value known at compile time: an immediate, or a BLOBFILE in a weight file. Its parameters stand in
the brackets.
  val     the value; the result has its type
Opset ios15. Source: coremltools, MIL ops, control_flow.)",
    .params = {{.name = "val"}},
    .attributes_are_params = true,
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
