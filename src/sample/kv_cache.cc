#include "sample/kv_cache.h"

#include <algorithm>

namespace millwright::sample {
namespace {

// [heads, positions, head_dim] arrays: the first `count` positions of `from`, to those of `to` from
// `first` on.
struct HeadRows {
  float* data = nullptr;
  int64_t positions = 0;
};

void CopyPositions(const model::ModelConfig& c, int64_t count, const float* from,
                   int64_t from_positions, HeadRows to, int64_t first) {
  for (int64_t head = 0; head < c.kv_heads; ++head) {
    std::copy_n(from + head * from_positions * c.head_dim, count * c.head_dim,
                to.data + (head * to.positions + first) * c.head_dim);
  }
}

}  // namespace

void KvCache::Reserve(int64_t capacity) {
  keys_.resize(static_cast<size_t>(config_.layers));
  values_.resize(static_cast<size_t>(config_.layers));
  for (auto* buffers : {&keys_, &values_}) {
    for (AlignedBuffer<float>& buffer : *buffers) {
      AlignedBuffer<float> larger(static_cast<size_t>(config_.kv_dim() * capacity));
      CopyPositions(config_, length_, buffer.data(), capacity_, {larger.data(), capacity}, 0);
      buffer = std::move(larger);
    }
  }
  capacity_ = capacity;
}

void KvCache::Append(int64_t layer, int64_t count, int64_t positions, const float* k,
                     const float* v) {
  CopyPositions(config_, count, k, positions, {Keys(layer), capacity_}, length_);
  CopyPositions(config_, count, v, positions, {Values(layer), capacity_}, length_);
}

}  // namespace millwright::sample
