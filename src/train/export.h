// The trained network as a model that loads elsewhere.
#pragma once

#include <span>

#include "base/result.h"
#include "checkpoint/hf_folder.h"
#include "data/vocabulary.h"
#include "train/parameters.h"

namespace millwright::train {

// The rows of the whole vocabulary, `out`, from those in memory, `rows` (VocabMap::rows() of them):
// see FullTensors for the words that have none. `spec` is the embedding's, or the classifier's
// where it is apart.
void ExpandEmbedding(const model::TensorSpec& spec, const data::VocabMap& vocab, uint64_t seed,
                     std::span<const float> rows, std::span<float> out);

// Yields every tensor of the model, adapters merged into their projections, with all rows of the
// vocabulary: words without a row of their own get the shared row of `exact` compaction, or in
// `active` the first values that they were drawn with from `seed`. `parameters`, `vocab` and `lora`
// must outlive the source.
checkpoint::TensorSource FullTensors(const ParameterSet<float>& parameters,
                                     const data::VocabMap& vocab, uint64_t seed,
                                     const model::LoraConfig& lora);

// Yields the adapters' own tensors. `parameters` must outlive the source.
checkpoint::TensorSource AdapterTensors(const ParameterSet<float>& parameters);

}  // namespace millwright::train
