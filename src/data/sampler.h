// Which windows of the data training sees, in which order.
#pragma once

#include <cstdint>

#include "base/rng.h"

namespace millwright::data {

// Windows of seq + 1 tokens (the last is only a target) at uniform random offsets with replacement.
// A pure function of (seed, micro-step): the micro-step is the whole cursor, and it can be resumed
// anywhere. `tokens` must be at least seq + 1.
class Sampler {
 public:
  Sampler(uint64_t seed, int64_t tokens, int64_t seq)
      : rng_(seed, StreamId("data.sampler")), offsets_(static_cast<uint64_t>(tokens - seq)) {}

  // The first token of the window of `micro_step`: any of [0, tokens - seq - 1].
  int64_t Offset(uint64_t micro_step) const {
    return static_cast<int64_t>(rng_.Below(micro_step, offsets_));
  }

 private:
  Rng rng_;
  uint64_t offsets_;
};

}  // namespace millwright::data
