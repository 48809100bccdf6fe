#include "sample/decoder.h"

#include <algorithm>

#include "kernels/tables.h"
#include "math/embedding.h"

namespace millwright::sample {
namespace {

// Positions of a chunk. A pass over the weights takes as long for one position as for a chunk's
// first dozen; more than kFewest positions are worth the padding.
constexpr int64_t kChunk = 32;
constexpr int64_t kFewest = 4;

}  // namespace

int64_t CacheCapacity(int64_t positions, int64_t seq) {
  int64_t capacity = 64;
  while (capacity < positions) capacity *= 2;
  return std::min(capacity, seq);
}

Result<std::unique_ptr<Decoder>> Decoder::Create(device::Device& device,
                                                 const model::ModelConfig& config,
                                                 const checkpoint::TensorSource& source) {
  auto weights = Weights::Read(config, source);
  if (!weights) return weights.error();
  return std::unique_ptr<Decoder>(new Decoder(device, config, std::move(*weights)));
}

// Layers refer to the memory of the cache, so they go first.
void Decoder::MakeRoom(int64_t positions) {
  const int64_t capacity = CacheCapacity(positions, config_.seq);
  if (capacity <= cache_.capacity()) return;
  stages_ = {};
  cache_.Reserve(capacity);
}

Result<Layers*> Decoder::PrepareStage(bool chunk) {
  std::unique_ptr<Layers>& stage = stages_[chunk ? 1 : 0];
  if (stage != nullptr) return stage.get();
  LayersOptions options = {
      .config = config_, .attention = kernels::KernelId::kSdpaCached, .cache = cache_.capacity()};
  options.config.seq = chunk ? kChunk : 1;
  options.memory = [this](const std::string& operand, int64_t layer) -> float* {
    if (operand == "k_cache") return cache_.Keys(layer);
    return operand == "v_cache" ? cache_.Values(layer) : nullptr;
  };
  auto layers = Layers::Create(device_, std::move(options), weights_);
  if (!layers) return layers.error();
  stage = std::move(*layers);
  return stage.get();
}

// Angles and mask of the positions that follow those of the cache. The padding of a chunk comes
// last, where no token sees it.
void Decoder::FillPositions(Layers& layers) const {
  const int64_t now = layers.positions(), past = cache_.length(), capacity = cache_.capacity();
  const kernels::RotaryTables tables = kernels::MakeRotaryTables(config_, now, past);
  std::copy(tables.cos.begin(), tables.cos.end(), layers.Data("cos"));
  std::copy(tables.sin.begin(), tables.sin.end(), layers.Data("sin"));
  float* row = layers.Data("mask");
  for (int64_t query = 0; query < now; ++query, row += capacity + now) {
    std::fill_n(row, capacity + now, static_cast<float>(kernels::kMaskedScore));
    std::fill_n(row, past, 0.0f);
    std::fill_n(row + capacity, query + 1, 0.0f);
  }
}

// The layers that hold the outputs for `tokens`, which are in the cache afterwards.
Result<Layers*> Decoder::Feed(std::span<const int32_t> tokens, bool chunk) {
  const auto count = static_cast<int64_t>(tokens.size());
  auto prepared = PrepareStage(chunk);
  if (!prepared) return prepared.error();
  Layers& layers = **prepared;
  FillPositions(layers);
  std::vector<int32_t> padded(tokens.begin(), tokens.end());
  padded.resize(static_cast<size_t>(layers.positions()), tokens.back());
  math::EmbedForward(config_.dim, padded, weights_.Get(model::TensorRole::kEmbedding),
                     layers.Data("x_next"));
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    auto status = layers.Run(layer);
    if (!status) return status.error();
    cache_.Append(layer, count, layers.positions(), layers.Data("k_new"), layers.Data("v_new"));
  }
  cache_.Advance(count);
  seen_.insert(seen_.end(), tokens.begin(), tokens.end());
  return &layers;
}

Result<std::span<const float>> Decoder::Logits(std::span<const int32_t> tokens) {
  if (auto status = CheckContext(tokens, config_.vocab); !status) return status.error();
  if (static_cast<int64_t>(tokens.size()) > config_.seq) {
    return BadInput("a context of {} tokens is longer than the model's {}", tokens.size(),
                    config_.seq);
  }
  const auto common = std::mismatch(seen_.begin(), seen_.end(), tokens.begin(), tokens.end());
  const auto kept = std::min(static_cast<size_t>(common.first - seen_.begin()), tokens.size() - 1);
  seen_.resize(kept);
  cache_.Truncate(static_cast<int64_t>(kept));
  MakeRoom(static_cast<int64_t>(tokens.size()));
  tokens = tokens.subspan(kept);
  while (true) {
    const auto left = static_cast<int64_t>(tokens.size());
    const bool chunk = left > kFewest;
    const auto count = static_cast<size_t>(chunk ? std::min(left, kChunk) : 1);
    auto layers = Feed(tokens.first(count), chunk);
    if (!layers) return layers.error();
    tokens = tokens.subspan(count);
    if (tokens.empty()) return (*layers)->Classify(static_cast<int64_t>(count) - 1);
  }
}

}  // namespace millwright::sample
