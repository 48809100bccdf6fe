#include <cmath>
#include <limits>

#include "base/ane_arithmetic.h"
#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const double epsilon = call.Float("epsilon", 1e-45);
  const bool small = numerics.Follows(AneRule::kSmallArguments);
  const auto log = [&](double x) {
    const double argument = numerics.Operand(x) + epsilon;
    return small && argument >= 0.0 && argument < kAneSmallestArgument ? -kInfinity
                                                                       : std::log(argument);
  };
  return std::vector<Array>{MapElements(call.array("x"), results[0], log)};
}

}  // namespace

const OpDef k_log = {
    .name = "log",
    .doc = R"(
The natural logarithm of x + epsilon, element by element.
  x        fp16 or fp32
  epsilon  a constant float, default 1e-45; added in double, so that the default counts also where
           x is fp16
Opset ios15. Source: coremltools, MIL ops, iOS15 elementwise_unary.)",
    .params = {{.name = "x"},
               {.name = "epsilon", .required = false, .constant = true, .kind = ParamKind::kFloat}},
    .infer = InferUnary,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
