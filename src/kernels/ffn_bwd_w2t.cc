#include "kernels/adapters.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  return WithAdapters(
      spec, {.inputs = {{.name = "dffn", .rows = c.dim, .columns = spec.columns()},
                        {.name = "w2", .rows = c.dim, .columns = c.hidden_dim, .weight = true}},
             .outputs = {{.name = "dgate", .rows = c.hidden_dim, .columns = spec.columns()}}});
}

void Emit(const KernelSpec& /*spec*/, Emitter& e) {
  e.Output("dgate", e.Project("down_proj_t", "w2", e.Activation("dffn"), true));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).FfnBwdW2t();
}

}  // namespace

const KernelDef kFfnBwdW2t = {
    .id = KernelId::kFfnBwdW2t,
    .name = "ffnBwdW2t",
    .doc = "Gradient of the gate: W2^T * dffn.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
