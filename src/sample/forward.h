// The forward pass of a model at a context's last position, through the training kernels and
// without a cache: everything is computed anew for each token. The slow twin of decoder.h.
#pragma once

#include <memory>

#include "device/device.h"
#include "sample/layers.h"
#include "sample/predictor.h"

namespace millwright::sample {

class Forward final : public Predictor {
 public:
  // Reads every tensor of `config` from `source`. The device must outlive the result.
  static Result<std::unique_ptr<Forward>> Create(device::Device& device,
                                                 const model::ModelConfig& config,
                                                 const checkpoint::TensorSource& source);

  const model::ModelConfig& config() const override { return config_; }

  // Of a context longer than config().seq only its last config().seq tokens are seen.
  Result<std::span<const float>> Logits(std::span<const int32_t> tokens) override;

 private:
  Forward(device::Device& device, const model::ModelConfig& config, Weights weights)
      : device_(device), config_(config), weights_(std::move(weights)) {}
  Status Prepare(int64_t tokens);

  device::Device& device_;
  model::ModelConfig config_;
  Weights weights_;
  std::unique_ptr<Layers> layers_;  // for contexts of up to layers_->positions() tokens
};

// How many positions a context of `tokens` is computed with: the next power of two from 32 on, at
// most `seq`. What lies behind the last token changes nothing before it, since attention is causal.
int64_t PaddedLength(int64_t tokens, int64_t seq);

}  // namespace millwright::sample
