// What kind of network: the numbers a decoder-only transformer of the Llama and Qwen3 families is
// made of. A model header holds one; everything else is derived.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "model/name.h"

namespace millwright::model {

// How rotary embedding pairs the channels of a head: (2i, 2i+1), as in Llama's own files, or
// (i, i + head_dim/2), as in Hugging Face's.
enum class RotaryLayout { kInterleaved, kHalfSplit };

struct ModelConfig {
  Name name;   // "stories110m"
  Name title;  // "Stories110M"
  int64_t dim = 0;
  int64_t hidden_dim = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t seq = 0;
  int64_t vocab = 0;
  double rope_theta = 10000.0;
  double rms_norm_eps = 1e-5;
  RotaryLayout rotary = RotaryLayout::kInterleaved;
  bool qk_norm = false;
  bool tied_embeddings = true;  // the embedding is the classifier

  constexpr int64_t q_dim() const { return heads * head_dim; }
  constexpr int64_t kv_dim() const { return kv_heads * head_dim; }
  // Query heads per key/value head: query head h reads kv head h / group().
  constexpr int64_t group() const { return heads / kv_heads; }

  // Parameters of one layer (norms included), of all layers, and of the whole network.
  constexpr int64_t layer_params() const {
    return dim * (q_dim() + 2 * kv_dim()) + q_dim() * dim + 3 * dim * hidden_dim + 2 * dim +
           (qk_norm ? 2 * head_dim : 0);
  }
  constexpr int64_t transformer_params() const { return layers * layer_params(); }
  constexpr int64_t embedding_params() const { return vocab * dim; }
  // Tensors with a row for every word: the embedding, and the classifier where it is apart.
  constexpr int64_t vocab_tensors() const { return tied_embeddings ? 1 : 2; }
  constexpr int64_t params() const {
    return transformer_params() + vocab_tensors() * embedding_params() + dim;
  }

  bool operator==(const ModelConfig&) const = default;

  // True if every dimension is positive and the divisibility rules hold. A constexpr form of
  // Validate for the static checks of the model headers.
  constexpr bool IsValid() const {
    return dim > 0 && hidden_dim > 0 && layers > 0 && heads > 0 && kv_heads > 0 && head_dim > 0 &&
           seq > 0 && vocab > 0 && heads % kv_heads == 0 && head_dim % 2 == 0 && rope_theta > 0 &&
           rms_norm_eps > 0;
  }
};

// Why `config` is impossible, by field, or success. Beyond IsValid it bounds every field, so that
// the sizes derived from a foreign file's config cannot overflow.
Status Validate(const ModelConfig& config);

}  // namespace millwright::model
