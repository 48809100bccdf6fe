#include "kernels/adapters.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  return WithAdapters(spec,
                      {.inputs = {{.name = "attn", .rows = c.q_dim(), .columns = spec.columns()},
                                  {.name = "wo",
                                   .rows = c.dim,
                                   .columns = c.q_dim(),
                                   .weight = true,
                                   .packed_transposed = true}},
                       .outputs = {{.name = "o", .rows = c.dim, .columns = spec.columns()}}});
}

void Emit(const KernelSpec& /*spec*/, Emitter& e) {
  e.Output("o", e.Project("o_proj", "wo", e.Activation("attn"), false));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).WoFwd();
}

}  // namespace

const KernelDef kWoFwd = {
    .id = KernelId::kWoFwd,
    .name = "woFwd",
    .doc = "Output projection of attention.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
