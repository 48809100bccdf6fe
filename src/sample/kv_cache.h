// The keys and values of the positions that a model has seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "model/config.h"

namespace millwright::sample {

// For each layer two arrays [kv_heads, capacity, head_dim], of which the first `length` positions
// hold something: the operands k_cache and v_cache of the kernel sdpaCached.
class KvCache {
 public:
  explicit KvCache(const model::ModelConfig& config) : config_(config) {}

  int64_t length() const { return length_; }
  int64_t capacity() const { return capacity_; }

  // Makes room for `capacity` positions and keeps what is held. Invalidates Keys and Values.
  void Reserve(int64_t capacity);

  float* Keys(int64_t layer) { return keys_[static_cast<size_t>(layer)].data(); }
  float* Values(int64_t layer) { return values_[static_cast<size_t>(layer)].data(); }

  // Writes the first `count` of `positions` new ones behind those that are held: k and v are
  // [kv_heads * head_dim, positions]. Advance makes them count, once for all layers.
  void Append(int64_t layer, int64_t count, int64_t positions, const float* k, const float* v);
  void Advance(int64_t count) { length_ += count; }

  // Forgets all but the first `length` positions.
  void Truncate(int64_t length) { length_ = length; }

 private:
  model::ModelConfig config_;
  int64_t length_ = 0, capacity_ = 0;
  std::vector<AlignedBuffer<float>> keys_, values_;
};

}  // namespace millwright::sample
