#include "kernels/adapters.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  return WithAdapters(
      spec, {.inputs = {{.name = "x2norm", .rows = c.dim, .columns = spec.columns()},
                        {.name = "x2", .rows = c.dim, .columns = spec.columns()},
                        {.name = "w1",
                         .rows = c.hidden_dim,
                         .columns = c.dim,
                         .weight = true,
                         .packed_transposed = true},
                        {.name = "w3",
                         .rows = c.hidden_dim,
                         .columns = c.dim,
                         .weight = true,
                         .packed_transposed = true},
                        {.name = "w2", .rows = c.dim, .columns = c.hidden_dim, .weight = true}},
             .outputs = {{.name = "x_next", .rows = c.dim, .columns = spec.columns()},
                         {.name = "h1", .rows = c.hidden_dim, .columns = spec.columns()},
                         {.name = "h3", .rows = c.hidden_dim, .columns = spec.columns()},
                         {.name = "gate", .rows = c.hidden_dim, .columns = spec.columns()}}});
}

void Emit(const KernelSpec& spec, Emitter& e) {
  const Emitter::Value x = e.Activation("x2norm");
  const Emitter::Value h1 = e.Project("gate_proj", "w1", x, false);
  const Emitter::Value h3 = e.Project("up_proj", "w3", x, false);
  const Emitter::Value sigmoid = e.b().Op("sigmoid", "h1_sigmoid", {{"x", h1}});
  const Emitter::Value silu = e.b().Mul("h1_silu", h1, sigmoid);
  const Emitter::Value gate = e.b().Mul("gated", silu, h3);
  Emitter::Value ffn = e.Project("down_proj", "w2", gate, false);
  if (spec.residual_alpha != 1.0) ffn = e.b().Mul("ffn_scaled", ffn, e.Float(spec.residual_alpha));
  e.Output("x_next", e.b().Add("residual", e.Activation("x2"), ffn));
  e.Output("h1", h1);
  e.Output("h3", h3);
  e.Output("gate", gate);
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).FfnFused();
}

}  // namespace

const KernelDef kFfnFused = {
    .id = KernelId::kFfnFused,
    .name = "ffnFused",
    .doc = "SwiGLU feed-forward with its residual.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
