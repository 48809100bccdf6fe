// From logits to a token.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/rng.h"

namespace millwright::sample {

struct SamplingOptions {
  double temperature = 0.8;  // 0: always the most probable token
  int64_t top_k = 0;         // draw among this many most probable tokens; 0: all
  double top_p = 0.95;       // draw among the fewest tokens that reach this probability; 1: all
  uint64_t seed = 42;
};

// Why these options are impossible, by flag.
Status Validate(const SamplingOptions& options);

// Draws tokens. The temperature is applied first, then top_k, then top_p (to the probabilities that
// top_k leaves). Among equal logits the lower id counts as the more probable. Source: Holtzman et
// al., "The Curious Case of Neural Text Degeneration", 2020, for top_p.
class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options);

  // The token of draw number `draw`: a function of the options, the logits and that number alone.
  // Fails if a logit is NaN or +infinity, or none is finite. `logits` must not be empty.
  Result<int32_t> Pick(std::span<const float> logits, uint64_t draw);

 private:
  // A token and its logit; later its weight, exp of the scaled distance to the highest logit.
  using Candidate = std::pair<double, int32_t>;

  void KeepTopK();
  void KeepTopP();

  SamplingOptions options_;
  Rng rng_;
  std::vector<Candidate> candidates_;
};

}  // namespace millwright::sample
