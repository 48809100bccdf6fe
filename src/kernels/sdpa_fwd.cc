#include "kernels/adapters.h"
#include "kernels/attention.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  Operands operands = {.inputs = {{.name = "xnorm", .rows = c.dim, .columns = spec.columns()},
                                  {.name = "wq",
                                   .rows = c.q_dim(),
                                   .columns = c.dim,
                                   .weight = true,
                                   .packed_transposed = true},
                                  {.name = "wk",
                                   .rows = c.kv_dim(),
                                   .columns = c.dim,
                                   .weight = true,
                                   .packed_transposed = true},
                                  {.name = "wv",
                                   .rows = c.kv_dim(),
                                   .columns = c.dim,
                                   .weight = true,
                                   .packed_transposed = true}},
                       .outputs = {{.name = "attn", .rows = c.q_dim(), .columns = spec.columns()},
                                   {.name = "q", .rows = c.q_dim(), .columns = spec.columns()},
                                   {.name = "k", .rows = c.kv_dim(), .columns = spec.columns()},
                                   {.name = "v", .rows = c.kv_dim(), .columns = spec.columns()}}};
  if (c.qk_norm) {
    operands.inputs.push_back({.name = "q_norm", .rows = 1, .columns = c.head_dim, .weight = true});
    operands.inputs.push_back({.name = "k_norm", .rows = 1, .columns = c.head_dim, .weight = true});
    operands.outputs.push_back({.name = "q_raw", .rows = c.q_dim(), .columns = spec.columns()});
    operands.outputs.push_back({.name = "k_raw", .rows = c.kv_dim(), .columns = spec.columns()});
  }
  return WithAdapters(spec, std::move(operands));
}

void Emit(const KernelSpec& spec, Emitter& e) {
  const model::ModelConfig& c = spec.config;
  const Emitter::Value x = e.Activation("xnorm");
  Emitter::Value q = e.Project("q_proj", "wq", x, false);
  Emitter::Value k = e.Project("k_proj", "wk", x, false);
  const Emitter::Value v = e.Project("v_proj", "wv", x, false);
  if (c.qk_norm) {
    e.Output("q_raw", q);
    e.Output("k_raw", k);
    q = QkNorm(e, c, "q_normed", q, c.heads, "q_norm");
    k = QkNorm(e, c, "k_normed", k, c.kv_heads, "k_norm");
  }
  const RotaryValues rotary = RotaryTable(e, c);
  q = Rotate(e, c, "q_rope", q, c.heads, rotary);
  k = Rotate(e, c, "k_rope", k, c.kv_heads, rotary);
  e.Output("q", q);
  e.Output("k", k);
  e.Output("v", v);

  const Emitter::Value q_scaled = ScaleByHeadDim(e, c, "q_scaled", q);
  const Emitter::Value q_heads = SplitHeads(e, "q_heads", q_scaled, c.heads);
  const Emitter::Value k_heads =
      TileKvHeads(e, c, "k_tiled", SplitHeads(e, "k_heads", k, c.kv_heads));
  const Emitter::Value v_heads =
      TileKvHeads(e, c, "v_tiled", SplitHeads(e, "v_heads", v, c.kv_heads));
  const Emitter::Value probs = CausalProbabilities(e, c, q_heads, k_heads);
  const Emitter::Value attended = e.b().Matmul("attended", probs, v_heads, false, false);
  e.Output("attn", MergeHeads(e, "attn_channels", attended));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).SdpaFwd();
}

}  // namespace

const KernelDef kSdpaFwd = {
    .id = KernelId::kSdpaFwd,
    .name = "sdpaFwd",
    .doc = "Causal grouped-query attention up to its output projection.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
