#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double FloorDiv(double x, double y) { return std::floor(x / y); }

}  // namespace

const OpDef k_floor_div = {
    .name = "floor_div",
    .doc = R"(
The largest integer that is not above x / y, element by element.
  x, y    fp16, fp32 or int32, of one dtype, broadcast together
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_binary.)",
    .params = {{.name = "x"}, {.name = "y"}},
    .infer = InferBinary,
    .evaluate = EvaluateBinary<FloorDiv>,
};

}  // namespace millwright::mil
