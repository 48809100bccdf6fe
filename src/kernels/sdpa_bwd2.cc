#include "kernels/attention.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  if (spec.target.fused_attention_backward) return {};
  return {.inputs = {{.name = "probs", .rows = c.heads * c.seq, .columns = spec.columns()},
                     {.name = "dp", .rows = c.heads * c.seq, .columns = spec.columns()},
                     {.name = "q", .rows = c.q_dim(), .columns = spec.columns()},
                     {.name = "k", .rows = c.kv_dim(), .columns = spec.columns()}},
          .outputs = {{.name = "dq", .rows = c.q_dim(), .columns = spec.columns()},
                      {.name = "dk", .rows = c.kv_dim(), .columns = spec.columns()}}};
}

void Emit(const KernelSpec& spec, Emitter& e) {
  const model::ModelConfig& c = spec.config;
  const Emitter::Value probs = SplitScores(e, c, "probs_heads", e.Activation("probs"));
  const Emitter::Value dp = SplitScores(e, c, "dp_heads", e.Activation("dp"));
  const Emitter::Value q = SplitHeads(e, "q_heads", e.Activation("q"), c.heads);
  const Emitter::Value k = SplitHeads(e, "k_heads", e.Activation("k"), c.kv_heads);
  EmitScoreBackward(e, c, {probs, dp, q, TileKvHeads(e, c, "k_tiled", k)});
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).SdpaBwd2();
}

}  // namespace

const KernelDef kSdpaBwd2 = {
    .id = KernelId::kSdpaBwd2,
    .name = "sdpaBwd2",
    .doc =
        "Second half of attention's backward: dQ and dK from the probabilities and their gradient.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
