// A network's tensors, with gradients and optimizer moments where they are trained. The embedding,
// and a classifier apart from it, hold the rows of the vocabulary map only: all words, the active
// ones, or the active ones and one shared row.
#pragma once

#include <functional>
#include <vector>

#include "base/aligned.h"
#include "base/dtype.h"
#include "base/result.h"
#include "data/vocabulary.h"
#include "model/lora.h"
#include "model/tensors.h"

namespace millwright::train {

// What AdamW's moments are kept in: nothing, the host's type, or bf16 to save memory.
enum class Moments { kNone, kFull, kBf16 };

template <class T>
struct Parameter {
  model::TensorSpec spec;
  int64_t rows = 0, columns = 0;  // in memory; a norm is one row
  bool trained = true;            // false: frozen, without gradient and moments
  AlignedBuffer<T> value, grad;
  AlignedBuffer<T> m, v;               // of Moments::kFull
  AlignedBuffer<Bf16> m_bf16, v_bf16;  // of Moments::kBf16

  int64_t count() const { return rows * columns; }
};

struct ParameterOptions {
  bool gradients = true;  // false: nothing is trained
  Moments moments = Moments::kFull;
  std::function<bool(const model::TensorSpec&)> trained;  // empty: every tensor
  model::LoraConfig lora;
};

template <class T>
class ParameterSet {
 public:
  // Allocates all tensors of `config`, then the adapters of `lora`, zeroed.
  ParameterSet(const model::ModelConfig& config, const data::VocabMap& vocab,
               const ParameterOptions& options);

  // Draws every tensor from `seed`. An active word gets the row that it has in the full embedding;
  // the shared row of `exact` compaction gets that of the first inactive word.
  void Init(uint64_t seed, const data::VocabMap& vocab);

  // A tensor, or a part of its adapter; both must exist.
  Parameter<T>& Get(model::TensorRole role, int64_t layer = -1,
                    model::LoraPart part = model::LoraPart::kNone);
  // The same; null where there is none.
  const Parameter<T>* Find(model::TensorRole role, int64_t layer, model::LoraPart part) const;
  std::vector<Parameter<T>>& all() { return parameters_; }
  const std::vector<Parameter<T>>& all() const { return parameters_; }
  // Whether the gradients hold anything: a backward step adds to them then, and overwrites them
  // otherwise, so that no pass zeroes them.
  bool has_gradients() const { return has_gradients_; }
  void MarkGradients() { has_gradients_ = true; }
  void ClearGradients() { has_gradients_ = false; }
  int64_t count() const;
  int64_t trained_count() const;

 private:
  size_t Slot(model::TensorRole role, int64_t layer, model::LoraPart part) const;

  std::vector<Parameter<T>> parameters_;
  std::vector<size_t> index_;  // by part, role and layer
  int64_t layers_;
  bool has_gradients_ = false;
};

// The row of the full embedding that row `row` in memory is drawn from.
int64_t FullEmbeddingRow(const data::VocabMap& vocab, int64_t row);

}  // namespace millwright::train
