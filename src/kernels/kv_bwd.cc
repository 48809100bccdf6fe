#include "kernels/adapters.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  return WithAdapters(
      spec, {.inputs = {{.name = "dk", .rows = c.kv_dim(), .columns = spec.columns()},
                        {.name = "dv", .rows = c.kv_dim(), .columns = spec.columns()},
                        {.name = "wk", .rows = c.kv_dim(), .columns = c.dim, .weight = true},
                        {.name = "wv", .rows = c.kv_dim(), .columns = c.dim, .weight = true}},
             .outputs = {{.name = "dx_kv", .rows = c.dim, .columns = spec.columns()}}});
}

void Emit(const KernelSpec& /*spec*/, Emitter& e) {
  const Emitter::Value through_k = e.Project("k_proj_t", "wk", e.Activation("dk"), true);
  const Emitter::Value through_v = e.Project("v_proj_t", "wv", e.Activation("dv"), true);
  e.Output("dx_kv", e.b().Add("sum", through_k, through_v));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).KvBwd();
}

}  // namespace

const KernelDef kKvBwd = {
    .id = KernelId::kKvBwd,
    .name = "kvBwd",
    .doc = "Gradient of attention's input through keys and values: Wk^T * dk + Wv^T * dv.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
