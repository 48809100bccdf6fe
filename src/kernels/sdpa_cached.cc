#include "kernels/adapters.h"
#include "kernels/attention.h"
#include "kernels/emitter.h"
#include "kernels/formula.h"

namespace millwright::kernels {
namespace {

Operand Projection(const char* name, int64_t out, int64_t in) {
  return {.name = name, .rows = out, .columns = in, .weight = true, .packed_transposed = true};
}

Operands OperandsOf(const KernelSpec& spec) {
  const model::ModelConfig& c = spec.config;
  if (spec.cache <= 0) return {};
  Operands operands = {
      .inputs = {{.name = "xnorm", .rows = c.dim, .columns = c.seq},
                 {.name = "cos", .rows = c.head_dim / 2, .columns = c.seq},
                 {.name = "sin", .rows = c.head_dim / 2, .columns = c.seq},
                 {.name = "mask", .rows = c.seq, .columns = spec.cache + c.seq},
                 {.name = "k_cache", .rows = c.kv_heads * spec.cache, .columns = c.head_dim},
                 {.name = "v_cache", .rows = c.kv_heads * spec.cache, .columns = c.head_dim},
                 Projection("wq", c.q_dim(), c.dim),
                 Projection("wk", c.kv_dim(), c.dim),
                 Projection("wv", c.kv_dim(), c.dim)},
      .outputs = {{.name = "attn", .rows = c.q_dim(), .columns = c.seq},
                  {.name = "k_new", .rows = c.kv_dim(), .columns = c.seq},
                  {.name = "v_new", .rows = c.kv_dim(), .columns = c.seq}}};
  if (c.qk_norm) {
    operands.inputs.push_back({.name = "q_norm", .rows = 1, .columns = c.head_dim, .weight = true});
    operands.inputs.push_back({.name = "k_norm", .rows = 1, .columns = c.head_dim, .weight = true});
  }
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
  const Emitter::Value x = e.Activation("xnorm");
  Emitter::Value q = e.Project("q_proj", "wq", x, false);
  Emitter::Value k = e.Project("k_proj", "wk", x, false);
  const Emitter::Value v = e.Project("v_proj", "wv", x, false);
  if (c.qk_norm) {
    q = QkNorm(e, c, "q_normed", q, c.heads, "q_norm");
    k = QkNorm(e, c, "k_normed", k, c.kv_heads, "k_norm");
  }
  const RotaryValues rotary = RotaryOperands(e, c);
  q = Rotate(e, c, "q_rope", q, c.heads, rotary);
  k = Rotate(e, c, "k_rope", k, c.kv_heads, rotary);
  const Emitter::Value q_heads =
      SplitHeads(e, "q_heads", ScaleByHeadDim(e, c, "q_scaled", q), c.heads);
  const Emitter::Value k_heads = SplitHeads(e, "k_heads", k, c.kv_heads);
  const Emitter::Value v_heads = SplitHeads(e, "v_heads", v, c.kv_heads);
  e.Output("k_new", k);
  e.Output("v_new", v);

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
