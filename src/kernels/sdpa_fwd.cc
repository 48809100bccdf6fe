#include "kernels/adapters.h"
#include "kernels/attention.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  Operands operands = {.inputs = {{.name = "xnorm", .rows = c.dim, .columns = spec.columns()}},
                       .outputs = {{.name = "attn", .rows = c.q_dim(), .columns = spec.columns()},
                                   {.name = "q", .rows = c.q_dim(), .columns = spec.columns()},
                                   {.name = "k", .rows = c.kv_dim(), .columns = spec.columns()},
                                   {.name = "v", .rows = c.kv_dim(), .columns = spec.columns()}}};
  AddQkvWeights(c, &operands.inputs);
  if (c.qk_norm) {
    operands.outputs.push_back({.name = "q_raw", .rows = c.q_dim(), .columns = spec.columns()});
    operands.outputs.push_back({.name = "k_raw", .rows = c.kv_dim(), .columns = spec.columns()});
  }
  return WithAdapters(spec, std::move(operands));
}

void Emit(const KernelSpec& spec, Emitter& e) {
  const model::ModelConfig& c = spec.config;
  const auto [q_raw, k_raw, q, k, v] = EmitQkv(e, c, RotaryTable(e, c));
  if (c.qk_norm) {
    e.Output("q_raw", q_raw);
    e.Output("k_raw", k_raw);
  }
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
