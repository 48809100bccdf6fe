#include "kernels/attention.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  Operands operands = {.inputs = {{.name = "q", .rows = c.q_dim(), .columns = spec.columns()},
                                  {.name = "k", .rows = c.kv_dim(), .columns = spec.columns()},
                                  {.name = "v", .rows = c.kv_dim(), .columns = spec.columns()},
                                  {.name = "dattn", .rows = c.q_dim(), .columns = spec.columns()}},
                       .outputs = {{.name = "dv", .rows = c.kv_dim(), .columns = spec.columns()}}};
  if (spec.target.fused_attention_backward) {
    operands.outputs.push_back({.name = "dq", .rows = c.q_dim(), .columns = spec.columns()});
    operands.outputs.push_back({.name = "dk", .rows = c.kv_dim(), .columns = spec.columns()});
  } else {
    operands.outputs.push_back(
        {.name = "probs", .rows = c.heads * c.seq, .columns = spec.columns()});
    operands.outputs.push_back({.name = "dp", .rows = c.heads * c.seq, .columns = spec.columns()});
  }
  return operands;
}

void Emit(const KernelSpec& spec, Emitter& e) {
  const model::ModelConfig& c = spec.config;
  const Emitter::Value q = e.Activation("q");
  const Emitter::Value k = SplitHeads(e, "k_heads", e.Activation("k"), c.kv_heads);
  const Emitter::Value v = SplitHeads(e, "v_heads", e.Activation("v"), c.kv_heads);
  const Emitter::Value k_tiled = TileKvHeads(e, c, "k_tiled", k);
  const Emitter::Value v_tiled = TileKvHeads(e, c, "v_tiled", v);
  const Emitter::Value dattn = SplitHeads(e, "dattn_heads", e.Activation("dattn"), c.heads);
  const Emitter::Value q_scaled =
      SplitHeads(e, "q_heads", ScaleByHeadDim(e, c, "q_scaled", q), c.heads);

  const Emitter::Value probs = CausalProbabilities(e, c, q_scaled, k_tiled);
  const Emitter::Value dv_full = e.b().Matmul("dv_full", probs, dattn, true, false);
  e.Output("dv", MergeHeads(e, "dv_channels", ReduceToKvHeads(e, c, "dv_heads", dv_full)));
  const Emitter::Value dp = e.b().Matmul("dprobs", dattn, v_tiled, false, true);
  if (spec.target.fused_attention_backward) {
    EmitScoreBackward(e, c, {probs, dp, SplitHeads(e, "q_plain", q, c.heads), k_tiled});
    return;
  }
  e.Output("probs", FlattenScores(e, "probs_flat", probs));
  e.Output("dp", FlattenScores(e, "dp_flat", dp));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).SdpaBwd1();
}

}  // namespace

const KernelDef kSdpaBwd1 = {
    .id = KernelId::kSdpaBwd1,
    .name = "sdpaBwd1",
    .doc = "First half of attention's backward: dV, the probabilities and their gradient.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
