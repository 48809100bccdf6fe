#include "kernels/emitter.h"
#include "kernels/normalise.h"
#include "kernels/offload_formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  if (!spec.offload.rmsnorm_backward) return {};
  const int64_t dim = spec.config.dim, columns = spec.columns();
  return {.inputs = {{.name = "dnormed", .rows = dim, .columns = columns},
                     {.name = "x_in", .rows = dim, .columns = columns},
                     {.name = "inv_rms", .rows = 1, .columns = columns},
                     {.name = "norm", .rows = 1, .columns = dim, .weight = true}},
          .outputs = {{.name = "dx_norm", .rows = dim, .columns = columns}}};
}

void Emit(const KernelSpec& /*spec*/, Emitter& e) {
  mil::Builder& b = e.b();
  const Emitter::Value inverse = e.Activation("inv_rms");
  const Emitter::Value unit = b.Mul("unit", e.Activation("x_in"), inverse);
  const Emitter::Value pulled = ByNormWeight(e, "pulled", e.Activation("dnormed"), "norm");
  const Emitter::Value mean = MeanOfChannels(e, "mean_pull", b.Mul("pull", pulled, unit));
  const Emitter::Value inner = b.Sub("inner", pulled, b.Mul("along_unit", unit, mean));
  e.Output("dx_norm", b.Mul("gradient", inner, inverse));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  OffloadFormula<T>(spec, values).RmsnormBwd();
}

}  // namespace

const KernelDef kRmsnormBwd = {
    .id = KernelId::kRmsnormBwd,
    .name = "rmsnormBwd",
    .doc = "Gradient of RMSNorm's input.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
