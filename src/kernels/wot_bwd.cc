#include "kernels/adapters.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  return WithAdapters(
      spec, {.inputs = {{.name = "do", .rows = c.dim, .columns = spec.columns()},
                        {.name = "wo", .rows = c.dim, .columns = c.q_dim(), .weight = true}},
             .outputs = {{.name = "dattn", .rows = c.q_dim(), .columns = spec.columns()}}});
}

void Emit(const KernelSpec& /*spec*/, Emitter& e) {
  e.Output("dattn", e.Project("o_proj_t", "wo", e.Activation("do"), true));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).WotBwd();
}

}  // namespace

const KernelDef kWotBwd = {
    .id = KernelId::kWotBwd,
    .name = "wotBwd",
    .doc = "Gradient of attention's output: Wo^T * do.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
