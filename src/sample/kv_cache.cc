#include "sample/kv_cache.h"

#include <algorithm>

namespace millwright::sample {
namespace {

// Channel-first activations [kv_heads * head_dim, positions], the first `count` positions, to those
// of `to`, [kv_heads, capacity, head_dim], from `first` on.
void AppendPositions(const model::ModelConfig& c, int64_t count, int64_t positions,
                     const float* from, float* to, int64_t capacity, int64_t first) {
  for (int64_t head = 0; head < c.kv_heads; ++head) {
    for (int64_t s = 0; s < count; ++s) {
      float* row = to + (head * capacity + first + s) * c.head_dim;
      for (int64_t i = 0; i < c.head_dim; ++i) {
        row[i] = from[(head * c.head_dim + i) * positions + s];
      }
    }
  }
}

}  // namespace

void KvCache::Reserve(int64_t capacity) {
  keys_.resize(static_cast<size_t>(config_.layers));
  values_.resize(static_cast<size_t>(config_.layers));
  for (auto* buffers : {&keys_, &values_}) {
    for (AlignedBuffer<float>& buffer : *buffers) {
      AlignedBuffer<float> larger(static_cast<size_t>(config_.kv_dim() * capacity));
      for (int64_t head = 0; head < config_.kv_heads; ++head) {
        std::copy_n(buffer.data() + head * capacity_ * config_.head_dim, length_ * config_.head_dim,
                    larger.data() + head * capacity * config_.head_dim);
      }
      buffer = std::move(larger);
    }
  }
  capacity_ = capacity;
}

void KvCache::Append(int64_t layer, int64_t count, int64_t positions, const float* k,
                     const float* v) {
  AppendPositions(config_, count, positions, k, Keys(layer), capacity_, length_);
  AppendPositions(config_, count, positions, v, Values(layer), capacity_, length_);
}

}  // namespace millwright::sample
