#include "kernels/adapters.h"
#include "kernels/attention.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  if (spec.cache <= 0) return {};
  Operands operands = {
      .inputs = {{.name = "xnorm", .rows = c.dim, .columns = c.seq},
                 {.name = "cos", .rows = c.head_dim / 2, .columns = c.seq},
                 {.name = "sin", .rows = c.head_dim / 2, .columns = c.seq},
                 {.name = "mask", .rows = c.seq, .columns = spec.cache + c.seq},
                 {.name = "k_cache", .rows = c.kv_heads * spec.cache, .columns = c.head_dim},
                 {.name = "v_cache", .rows = c.kv_heads * spec.cache, .columns = c.head_dim}},
      .outputs = {{.name = "attn", .rows = c.q_dim(), .columns = c.seq},
                  {.name = "k_new", .rows = c.kv_dim(), .columns = c.seq},
                  {.name = "v_new", .rows = c.kv_dim(), .columns = c.seq}}};
  AddQkvWeights(c, &operands.inputs);
  return WithAdapters(spec, std::move(operands));
}

// softmax over the past positions, then the new ones, of queries [1, heads, seq, head_dim].
struct Probabilities {
  Emitter::Value past = -1, now = -1;
};

Probabilities Weigh(const KernelSpec& spec, Emitter& e, Emitter::Value q, Emitter::Value k_past,
                    Emitter::Value k_now) {
  const model::ModelConfig& c = spec.config;
  const int64_t past = spec.cache, now = c.seq;
  const Emitter::Value scores = e.b().Concat("scores",
                                             {e.b().Matmul("scores_past", q, k_past, false, true),
                                              e.b().Matmul("scores_now", q, k_now, false, true)},
                                             3);
  const Emitter::Value mask =
      e.b().Reshape("mask_rows", e.Activation("mask"), {1, 1, now, past + now});
  const Emitter::Value probs = e.b().Softmax("softmax", e.b().Add("masked", scores, mask), -1);
  return {e.b().Slice("probs_past", probs, {0, 0, 0, 0}, {1, c.heads, now, past}),
          e.b().Slice("probs_now", probs, {0, 0, 0, past}, {1, c.heads, now, now})};
}

void Emit(const KernelSpec& spec, Emitter& e) {
  const model::ModelConfig& c = spec.config;
  const Qkv in = EmitQkv(e, c, RotaryOperands(e, c));
  const Emitter::Value q_heads =
      SplitHeads(e, "q_heads", ScaleByHeadDim(e, c, "q_scaled", in.q), c.heads);
  const Emitter::Value k_heads = SplitHeads(e, "k_heads", in.k, c.kv_heads);
  const Emitter::Value v_heads = SplitHeads(e, "v_heads", in.v, c.kv_heads);
  e.Output("k_new", in.k);
  e.Output("v_new", in.v);

  const auto past = [&](const char* id, const char* operand) {
    const Shape heads = {1, c.kv_heads, spec.cache, c.head_dim};
    return TileKvHeads(e, c, id, e.b().Reshape(operand, e.Activation(operand), heads));
  };
  const Probabilities probs =
      Weigh(spec, e, q_heads, past("k_past", "k_cache"), TileKvHeads(e, c, "k_now", k_heads));
  const Emitter::Value from_past =
      e.b().Matmul("attended_past", probs.past, past("v_past", "v_cache"), false, false);
  const Emitter::Value from_now =
      e.b().Matmul("attended_now", probs.now, TileKvHeads(e, c, "v_now", v_heads), false, false);
  e.Output("attn", MergeHeads(e, "attn_channels", e.b().Add("attended", from_past, from_now)));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  Formula<T>(spec, values).SdpaCached();
}

}  // namespace

const KernelDef kSdpaCached = {
    .id = KernelId::kSdpaCached,
    .name = "sdpaCached",
    .doc =
        "Grouped-query attention of new positions over past ones, whose keys and values are kept.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
