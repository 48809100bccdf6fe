#include <cmath>

#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Mod(double x, double y) {
  const double remainder = std::fmod(x, y);
  return remainder != 0.0 && (remainder < 0.0) != (y < 0.0) ? remainder + y : remainder;
}

}  // namespace

const OpDef k_mod = {
    .name = "mod",
    .doc = R"(
x - floor(x / y) * y, element by element: the remainder with the sign of y.
  x, y    fp16, fp32 or int32, of one dtype, broadcast together
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_binary.)",
    .params = {{.name = "x"}, {.name = "y"}},
    .infer = InferBinary,
    .evaluate = EvaluateBinary<Mod>,
};

}  // namespace millwright::mil
