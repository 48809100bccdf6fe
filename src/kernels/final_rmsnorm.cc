#include "kernels/emitter.h"
#include "kernels/normalise.h"
#include "kernels/offload_formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  if (!spec.offload.rmsnorm) return {};
  const int64_t dim = spec.config.dim, columns = spec.columns();
  return {.inputs = {{.name = "x_last", .rows = dim, .columns = columns},
                     {.name = "final_norm", .rows = 1, .columns = dim, .weight = true}},
          .outputs = {{.name = "x_final", .rows = dim, .columns = columns},
                      {.name = "inv_rms", .rows = 1, .columns = columns}}};
}

// Divided by its largest channel first: squares of fp16 numbers are then neither lost (fact E1) nor
// too large (fact E2), and the quotient cancels.
void Emit(const KernelSpec& spec, Emitter& e) {
  mil::Builder& b = e.b();
  const Emitter::Value x = e.Activation("x_last");
  const Emitter::Value magnitude =
      b.Op("maximum", "magnitude", {{"x", x}, {"y", b.Mul("negative", x, e.Float(-1.0))}});
  const Emitter::Value peak = b.Op(
      "reduce_max", "peak", {{"x", magnitude}, {"axes", b.Ints({1})}, {"keep_dims", b.Bool(true)}});
  constexpr double kSmallest = 0x1p-7;  // its inverse can be squared in fp16
  const Emitter::Value divisor =
      b.Op("maximum", "divisor", {{"x", peak}, {"y", e.Float(kSmallest)}});
  const Emitter::Value inverse_peak =
      b.Op("pow", "inverse_peak", {{"x", divisor}, {"y", e.Float(-1.0)}});
  const Emitter::Value unit = b.Mul("unit", x, inverse_peak);
  const Emitter::Value mean = MeanOfChannels(e, "mean_square", b.Mul("unit_squared", unit, unit));
  const Emitter::Value eps =
      b.Mul("eps_scaled", b.Mul("inverse_peak_squared", inverse_peak, inverse_peak),
            e.Float(spec.config.rms_norm_eps));
  const Emitter::Value inverse =
      b.Op("pow", "root_inverse", {{"x", b.Add("mean_eps", mean, eps)}, {"y", e.Float(-0.5)}});
  e.Output("x_final", ByNormWeight(e, "normed", b.Mul("normed_unit", unit, inverse), "final_norm"));
  e.Output("inv_rms", b.Mul("inverse_rms", inverse_peak, inverse));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  OffloadFormula<T>(spec, values).FinalRmsnorm();
}

}  // namespace

const KernelDef kFinalRmsnorm = {
    .id = KernelId::kFinalRmsnorm,
    .name = "finalRmsnorm",
    .doc = "The RMSNorm before the classifier, and the factor that its gradient needs.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
