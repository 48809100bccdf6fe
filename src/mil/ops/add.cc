#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Add(double x, double y) { return x + y; }

}  // namespace

const OpDef k_add = {
    .name = "add",
    .doc = R"(
x + y, element by element.
  x, y    fp16, fp32 or int32, of one dtype, broadcast together
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_binary.)",
    .params = {{.name = "x"}, {.name = "y"}},
    .infer = InferBinary,
    .evaluate = EvaluateBinary<Add>,
};

}  // namespace millwright::mil
