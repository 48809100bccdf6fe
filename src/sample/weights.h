// A model's parameters in memory, as fp32.
#pragma once

#include <map>
#include <utility>

#include "base/aligned.h"
#include "checkpoint/hf_folder.h"
#include "model/tensors.h"

namespace millwright::sample {

class Weights {
 public:
  // Reads every tensor of `config` from `source`. Bad input: an impossible config.
  static Result<Weights> Read(const model::ModelConfig& config,
                              const checkpoint::TensorSource& source);

  // A tensor of TensorTable(config), row-major. Not const: devices wrap it as they wrap all memory.
  float* Get(model::TensorRole role, int64_t layer = -1) {
    return tensors_.find({role, layer})->second.data();
  }
  // The matrix [vocab, dim] that makes logits of the last layer's normed output.
  float* Classifier() { return Get(classifier_); }

 private:
  model::TensorRole classifier_ = model::TensorRole::kEmbedding;
  std::map<std::pair<model::TensorRole, int64_t>, AlignedBuffer<float>> tensors_;
};

}  // namespace millwright::sample
