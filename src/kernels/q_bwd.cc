#include "kernels/adapters.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  return WithAdapters(
      spec, {.inputs = {{.name = "dq", .rows = c.q_dim(), .columns = spec.columns()},
                        {.name = "wq", .rows = c.q_dim(), .columns = c.dim, .weight = true}},
             .outputs = {{.name = "dx_q", .rows = c.dim, .columns = spec.columns()}}});
}

void Emit(const KernelSpec& /*spec*/, Emitter& e) {
  e.Output("dx_q", e.Project("q_proj_t", "wq", e.Activation("dq"), true));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).QBwd();
}

}  // namespace

const KernelDef kQBwd = {
    .id = KernelId::kQBwd,
    .name = "qBwd",
    .doc = "Gradient of attention's input through the queries: Wq^T * dq.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
