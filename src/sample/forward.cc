#include "sample/forward.h"

#include <algorithm>

#include "math/embedding.h"

namespace millwright::sample {

int64_t PaddedLength(int64_t tokens, int64_t seq) {
  int64_t length = 32;
  while (length < tokens) length *= 2;
  return std::min(length, seq);
}

Result<std::unique_ptr<Forward>> Forward::Create(device::Device& device,
                                                 const model::ModelConfig& config,
                                                 const checkpoint::TensorSource& source) {
  auto weights = Weights::Read(config, source);
  if (!weights) return weights.error();
  return std::unique_ptr<Forward>(new Forward(device, config, std::move(*weights)));
}

// Contexts grow, so layers that have become too short are not needed again.
Status Forward::Prepare(int64_t tokens) {
  const int64_t seq = PaddedLength(tokens, config_.seq);
  if (layers_ != nullptr && layers_->positions() == seq) return {};
  layers_.reset();
  LayersOptions options = {.config = config_};
  options.config.seq = seq;
  auto layers = Layers::Create(device_, std::move(options), weights_);
  if (!layers) return layers.error();
  layers_ = std::move(*layers);
  return {};
}

Result<std::span<const float>> Forward::Logits(std::span<const int32_t> tokens) {
  const auto window = std::min(tokens.size(), static_cast<size_t>(config_.seq));
  tokens = tokens.last(window);
  auto status = CheckContext(tokens, config_.vocab);
  if (status) status = Prepare(static_cast<int64_t>(window));
  if (!status) return status.error();
  std::vector<int32_t> padded(tokens.begin(), tokens.end());
  padded.resize(static_cast<size_t>(layers_->positions()), tokens.back());
  math::EmbedForward(config_.dim, padded, weights_.Get(model::TensorRole::kEmbedding),
                     layers_->Data("x_next"));
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    status = layers_->Run(layer);
    if (!status) return status.error();
  }
  return layers_->Classify(static_cast<int64_t>(window) - 1);
}

}  // namespace millwright::sample
