// What text is drawn from.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "model/config.h"

namespace millwright::sample {

class Predictor {
 public:
  virtual ~Predictor() = default;

  virtual const model::ModelConfig& config() const = 0;

  // The logits [vocab] of the token that follows `tokens`, valid until the next call. Bad input: an
  // empty context, a token outside the vocabulary.
  virtual Result<std::span<const float>> Logits(std::span<const int32_t> tokens) = 0;
};

// Why `tokens` is no context of a model of `vocab` words, or success.
Status CheckContext(std::span<const int32_t> tokens, int64_t vocab);

}  // namespace millwright::sample
