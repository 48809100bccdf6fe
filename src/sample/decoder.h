// A model that goes on from what it has seen: keys and values of past positions are kept, so that a
// new token costs one pass over the weights.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "device/device.h"
#include "sample/kv_cache.h"
#include "sample/layers.h"
#include "sample/predictor.h"

namespace millwright::sample {

class Decoder final : public Predictor {
 public:
  // Reads every tensor of `config` from `source`. The device must outlive the result.
  static Result<std::unique_ptr<Decoder>> Create(device::Device& device,
                                                 const model::ModelConfig& config,
                                                 const checkpoint::TensorSource& source);

  const model::ModelConfig& config() const override { return config_; }

  // Computes only the tokens behind the longest beginning that `tokens` shares with the context of
  // the call before, and at least the last one: many at once by chunks, a few one by one. Bad input
  // besides Predictor's: more tokens than config().seq.
  Result<std::span<const float>> Logits(std::span<const int32_t> tokens) override;

 private:
  Decoder(device::Device& device, const model::ModelConfig& config, Weights weights)
      : device_(device), config_(config), weights_(std::move(weights)), cache_(config) {}
  void MakeRoom(int64_t positions);
  Result<Layers*> PrepareStage(bool chunk);
  Result<Layers*> Feed(std::span<const int32_t> tokens, bool chunk);
  void FillPositions(Layers& layers) const;

  device::Device& device_;
  model::ModelConfig config_;
  Weights weights_;
  KvCache cache_;
  std::vector<int32_t> seen_;  // the tokens of the cache
  // For one position, and for a chunk, over a cache of the present capacity; made when needed.
  std::array<std::unique_ptr<Layers>, 2> stages_;
};

// How many positions a cache for `positions` has: a power of two from 64 on, at most `seq`, so that
// few programs serve all lengths.
int64_t CacheCapacity(int64_t positions, int64_t seq);

}  // namespace millwright::sample
