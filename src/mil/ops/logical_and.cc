#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double LogicalAnd(double x, double y) { return x != 0.0 && y != 0.0 ? 1.0 : 0.0; }

}  // namespace

const OpDef k_logical_and = {
    .name = "logical_and",
    .doc = R"(
Whether both are true, element by element.
  x, y    bool, broadcast together
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_binary.)",
    .params = {{.name = "x"}, {.name = "y"}},
    .infer = InferLogical,
    .evaluate = EvaluateBinary<LogicalAnd>,
};

}  // namespace millwright::mil
