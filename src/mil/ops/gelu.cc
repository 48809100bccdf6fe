#include <cmath>
#include <numbers>

#include "base/ane_tables.h"
#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

double Exact(double x) { return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2)); }

double TanhApproximation(double x) {
  const double scale = std::sqrt(2.0 * std::numbers::inv_pi);
  return 0.5 * x * (1.0 + std::tanh(scale * (x + 0.044715 * x * x * x)));
}

double SigmoidApproximation(double x) { return x / (1.0 + std::exp(-1.702 * x)); }

using Function = double (*)(double);

Function FindMode(std::string_view mode) {
  if (mode == "EXACT") return Exact;
  if (mode == "TANH_APPROXIMATION") return TanhApproximation;
  if (mode == "SIGMOID_APPROXIMATION") return SigmoidApproximation;
  return nullptr;
}

Types Infer(const Call& call) {
  const std::string mode = call.Text("mode", "EXACT");
  if (FindMode(mode) == nullptr) {
    return call.Bad(
        "'mode' must be EXACT, TANH_APPROXIMATION or SIGMOID_APPROXIMATION, found \"{}\"", mode);
  }
  return InferUnary(call);
}

// The ANE has one table for all modes (fact E12).
Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Function gelu =
      numerics.Follows(AneRule::kTables) ? Function{AneGelu} : FindMode(call.Text("mode", "EXACT"));
  const auto apply = [&](double x) { return gelu(numerics.Operand(x)); };
  return std::vector<Array>{MapElements(call.array("x"), results[0], apply)};
}

}  // namespace

const OpDef k_gelu = {
    .name = "gelu",
    .doc = R"(
The Gaussian error linear unit, x times the normal distribution function of x, element by element:
  EXACT                  0.5 x (1 + erf(x / sqrt(2)))
  TANH_APPROXIMATION     0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
  SIGMOID_APPROXIMATION  x / (1 + e^(-1.702 x))
  x       fp16 or fp32
  mode    constant string, one of those three, default "EXACT"; the ANE wants it written (fact A9)
Opset ios15. Source: coremltools, MIL ops, iOS15 activation.)",
    .params = {{.name = "x"},
               {.name = "mode", .required = false, .constant = true, .kind = ParamKind::kText}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
