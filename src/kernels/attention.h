// The parts of attention that several kernels emit. Activations are channel-first, sequences side
// by side; inside attention heads are [batch, heads, seq, head_dim], so that no sequence sees
// another.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/emitter.h"

namespace millwright::kernels {

// [1, heads * head_dim, 1, batch * seq] -> [batch, heads, seq, head_dim], and back.
Emitter::Value SplitHeads(Emitter& e, std::string_view id, Emitter::Value x, int64_t heads);
Emitter::Value MergeHeads(Emitter& e, std::string_view id, Emitter::Value x);

// [batch, heads, seq, seq] -> [1, heads * seq, 1, batch * seq], the form of an operand, and back.
Emitter::Value FlattenScores(Emitter& e, std::string_view id, Emitter::Value x);
Emitter::Value SplitScores(Emitter& e, const model::ModelConfig& config, std::string_view id,
                           Emitter::Value x);

// RMSNorm over the channels of each head, times the norm weight operand `weight`; channel-first.
Emitter::Value QkNorm(Emitter& e, const model::ModelConfig& config, std::string_view id,
                      Emitter::Value x, int64_t heads, std::string_view weight);

// cos and sin of a pair's angle at each position, shaped for Rotate: a table of the program, for
// the positions from 0 on, or from the operands "cos" and "sin", [head_dim / 2, seq].
struct RotaryValues {
  Emitter::Value cos = -1, sin = -1;
  // Target::rotary_by_matrix: the constant matrix; the tables have a row for every channel of a
  // head then, and not for every pair.
  Emitter::Value matrix = -1;
};
RotaryValues RotaryTable(Emitter& e, const model::ModelConfig& config);
RotaryValues RotaryOperands(Emitter& e, const model::ModelConfig& config);

// Rotary embedding of a channel-first activation: with (a, b) the channels of a pair,
// a' = a cos - b sin and b' = b cos + a sin.
Emitter::Value Rotate(Emitter& e, const model::ModelConfig& config, std::string_view id,
                      Emitter::Value x, int64_t heads, const RotaryValues& rotary);

// The weights of EmitQkv, in this order: "wq", "wk", "wv", and "q_norm" and "k_norm" where the
// network has QK-norm.
void AddQkvWeights(const model::ModelConfig& config, std::vector<Operand>* inputs);

// What attention starts with. Channel-first: [1, q_dim or kv_dim, 1, seq].
struct Qkv {
  Emitter::Value q_raw = -1, k_raw = -1;  // before QK-norm
  Emitter::Value q = -1, k = -1;          // normalized where the network does so, and rotated
  Emitter::Value v = -1;
};

// Queries, keys and values of the operand "xnorm".
Qkv EmitQkv(Emitter& e, const model::ModelConfig& config, const RotaryValues& rotary);

// Repeats every kv head `group` times consecutively: query head h finds its own at h.
Emitter::Value TileKvHeads(Emitter& e, const model::ModelConfig& config, std::string_view id,
                           Emitter::Value x);

// The transpose of TileKvHeads: sums the `group` query heads of each kv head.
Emitter::Value ReduceToKvHeads(Emitter& e, const model::ModelConfig& config, std::string_view id,
                               Emitter::Value x);

// softmax(q_scaled k^T + causal mask) over keys: [batch, heads, seq, seq]. `q` is already scaled:
// on the ANE products must stay small before they are summed (fact E1).
Emitter::Value CausalProbabilities(Emitter& e, const model::ModelConfig& config, Emitter::Value q,
                                   Emitter::Value k);

// q / sqrt(head_dim).
Emitter::Value ScaleByHeadDim(Emitter& e, const model::ModelConfig& config, std::string_view id,
                              Emitter::Value x);

// Heads-split operands of the backward of scores = q k^T / sqrt(head_dim) and probs =
// softmax(scores).
struct ScoreBackward {
  Emitter::Value probs, dp;  // [batch, heads, seq, seq]
  Emitter::Value q, k;       // [batch, heads, seq, head_dim], k tiled to the query heads
};

// Emits the outputs dq and dk: dS = P * (dP - sum_k P dP) / sqrt(head_dim), dQ = dS K, dK = dS^T Q.
void EmitScoreBackward(Emitter& e, const model::ModelConfig& config, const ScoreBackward& in);

}  // namespace millwright::kernels
