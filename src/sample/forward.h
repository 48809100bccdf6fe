// The forward pass of a model at a context's last position, through the training kernels and
// without a cache of keys and values.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "checkpoint/hf_folder.h"
#include "device/device.h"
#include "math/gemm.h"
#include "model/tensors.h"
#include "runtime/session.h"

namespace millwright::sample {

class Forward {
 public:
  // Reads every tensor of `config` from `source`. The device must outlive the result.
  static Result<std::unique_ptr<Forward>> Create(device::Device& device,
                                                 const model::ModelConfig& config,
                                                 const checkpoint::TensorSource& source);

  const model::ModelConfig& config() const { return config_; }

  // The logits [vocab] of the token that follows `tokens`, valid until the next call. Of a context
  // longer than config().seq only its last config().seq tokens are seen. Bad input: an empty
  // context, a token outside the vocabulary.
  Result<std::span<const float>> Logits(std::span<const int32_t> tokens);

 private:
  struct LayerLaunches {
    runtime::Session<float>::LaunchId attention, projection, ffn;
  };
  // Kernels and activations for contexts of up to `seq` tokens.
  struct Stage {
    int64_t seq = 0;
    std::map<std::string, AlignedBuffer<float>, std::less<>> activations;
    std::unique_ptr<runtime::Session<float>> session;
    std::vector<LayerLaunches> layers;

    float* Data(std::string_view name) { return activations.find(name)->second.data(); }
  };

  Forward(device::Device& device, const model::ModelConfig& config)
      : device_(device), config_(config) {}
  float* Weight(model::TensorRole role, int64_t layer = -1);
  Status Prepare(int64_t tokens);
  Result<runtime::Session<float>::LaunchId> PrepareKernel(kernels::KernelId kernel, int64_t layer);
  Status RunLayer(int64_t layer);
  void Classify(int64_t position);

  device::Device& device_;
  model::ModelConfig config_;
  std::map<std::pair<model::TensorRole, int64_t>, AlignedBuffer<float>> weights_;
  Stage stage_;
  math::GemmEngine gemm_;
  AlignedBuffer<float> last_, normed_, logits_;  // of the last position
};

// How many positions a context of `tokens` is computed with: the next power of two from 32 on, at
// most `seq`. What lies behind the last token changes nothing before it, since attention is causal.
int64_t PaddedLength(int64_t tokens, int64_t seq);

}  // namespace millwright::sample
