#include "kernels/adapters.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  return WithAdapters(
      spec, {.inputs = {{.name = "dh1", .rows = c.hidden_dim, .columns = spec.columns()},
                        {.name = "dh3", .rows = c.hidden_dim, .columns = spec.columns()},
                        {.name = "w1", .rows = c.hidden_dim, .columns = c.dim, .weight = true},
                        {.name = "w3", .rows = c.hidden_dim, .columns = c.dim, .weight = true}},
             .outputs = {{.name = "dx2norm", .rows = c.dim, .columns = spec.columns()}}});
}

void Emit(const KernelSpec& /*spec*/, Emitter& e) {
  const Emitter::Value through_w1 = e.Project("gate_proj_t", "w1", e.Activation("dh1"), true);
  const Emitter::Value through_w3 = e.Project("up_proj_t", "w3", e.Activation("dh3"), true);
  e.Output("dx2norm", e.b().Add("sum", through_w1, through_w3));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).FfnBwdW13t();
}

}  // namespace

const KernelDef kFfnBwdW13t = {
    .id = KernelId::kFfnBwdW13t,
    .name = "ffnBwdW13t",
    .doc = "Gradient of the feed-forward input: W1^T * dh1 + W3^T * dh3.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
