// Every parameter tensor of a network: its name, shape, first values and weight decay.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/shape.h"
#include "model/config.h"

namespace millwright::model {

// What a tensor is in its layer. Matrices are [out, in] row-major.
enum class TensorRole {
  kEmbedding,  // [vocab, dim]; the classifier too, with tied_embeddings
  kAttnNorm,   // [dim]
  kWq,         // [q_dim, dim]
  kWk,         // [kv_dim, dim]
  kWv,         // [kv_dim, dim]
  kQNorm,      // [head_dim], with qk_norm only
  kKNorm,      // [head_dim], with qk_norm only
  kWo,         // [dim, q_dim]
  kFfnNorm,    // [dim]
  kW1,         // [hidden_dim, dim], gate_proj
  kW3,         // [hidden_dim, dim], up_proj
  kW2,         // [dim, hidden_dim], down_proj
  kFinalNorm,  // [dim]
  kLmHead,     // [vocab, dim], without tied_embeddings only
};

// Which matrix of a LoRA adapter a tensor is (see lora.h), if any.
enum class LoraPart { kNone, kA, kB };

struct TensorSpec {
  std::string name;  // Hugging Face's: "model.layers.0.self_attn.q_proj.weight"
  TensorRole role;
  int64_t layer = -1;  // -1: not in a layer
  Shape shape;
  double init_std = 0.0;  // 0: ones; else normal(0, init_std)
  bool decay = false;     // matrices, not norms
  LoraPart part = LoraPart::kNone;

  bool is_norm() const { return shape.size() == 1; }
  // A row for every word: what a compacted vocabulary holds a part of.
  bool has_vocab_rows() const {
    return role == TensorRole::kEmbedding || role == TensorRole::kLmHead;
  }
};

// The tensor [vocab, dim] that turns final hidden states into logits.
constexpr TensorRole ClassifierRole(const ModelConfig& config) {
  return config.tied_embeddings ? TensorRole::kEmbedding : TensorRole::kLmHead;
}

// The tensors of `config`: embedding, then layer by layer in the order of TensorRole, then the
// final norm, then the classifier where it is apart. Init: normal(0, 0.02), the residual
// projections (wo, w2) times 1/sqrt(2 * layers), norms 1.
std::vector<TensorSpec> TensorTable(const ModelConfig& config);

// Draws the first values of rows [row_begin, row_end) of `spec` (all elements of a 1-D tensor): a
// function of (seed, name, element index) alone, so that any row can be drawn by itself.
void InitRows(const TensorSpec& spec, uint64_t seed, int64_t row_begin, int64_t row_end,
              float* out);
void InitRows(const TensorSpec& spec, uint64_t seed, int64_t row_begin, int64_t row_end,
              double* out);

}  // namespace millwright::model
