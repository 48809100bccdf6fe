#include "sample/predictor.h"

namespace millwright::sample {

Status CheckContext(std::span<const int32_t> tokens, int64_t vocab) {
  if (tokens.empty()) return BadInput("there is no token to continue");
  for (const int32_t token : tokens) {
    if (token >= 0 && token < vocab) continue;
    return BadInput("token {} is outside the model's vocabulary of {}", token, vocab);
  }
  return {};
}

}  // namespace millwright::sample
