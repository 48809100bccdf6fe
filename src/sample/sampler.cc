#include "sample/sampler.h"

#include <algorithm>
#include <cmath>

namespace millwright::sample {
namespace {

bool MoreProbable(const std::pair<double, int32_t>& a, const std::pair<double, int32_t>& b) {
  return a.first != b.first ? a.first > b.first : a.second < b.second;
}

// The position of the highest logit, the first among equals.
Result<int32_t> HighestLogit(std::span<const float> logits) {
  size_t best = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]) || logits[i] == INFINITY) {
      return Failed("the logit of token {} is {}: the model's weights are damaged or overflowed", i,
                    logits[i]);
    }
    if (logits[i] > logits[best]) best = i;
  }
  if (!std::isfinite(logits[best])) return Failed("no logit is finite");
  return static_cast<int32_t>(best);
}

}  // namespace

Status Validate(const SamplingOptions& o) {
  if (!(std::isfinite(o.temperature) && o.temperature >= 0)) {
    return BadInput("--temperature {}: expected 0 or a positive number", o.temperature);
  }
  if (o.top_k < 0) {
    return BadInput("--top-k {}: expected 0 (off) or a positive number", o.top_k);
  }
  if (!(o.top_p > 0 && o.top_p <= 1)) {
    return BadInput("--top-p {}: expected a probability above 0 and at most 1", o.top_p);
  }
  return {};
}

Sampler::Sampler(const SamplingOptions& options)
    : options_(options), rng_(options.seed, StreamId("sample.sampler")) {}

void Sampler::KeepTopK() {
  const auto keep = static_cast<size_t>(options_.top_k);
  if (keep == 0 || keep >= candidates_.size()) return;
  const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(keep);
  std::nth_element(candidates_.begin(), end, candidates_.end(), MoreProbable);
  candidates_.erase(end, candidates_.end());
}

void Sampler::KeepTopP() {
  if (options_.top_p >= 1) return;
  std::sort(candidates_.begin(), candidates_.end(), MoreProbable);
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.first;
  double sum = 0;
  size_t keep = 0;
  while (keep < candidates_.size() && sum < options_.top_p * total) {
    sum += candidates_[keep++].first;
  }
  candidates_.resize(keep);
}

Result<int32_t> Sampler::Pick(std::span<const float> logits, uint64_t draw) {
  auto highest = HighestLogit(logits);
  if (!highest || options_.temperature == 0) return highest;
  const double top = static_cast<double>(logits[static_cast<size_t>(*highest)]);
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    const double distance = (static_cast<double>(logits[i]) - top) / options_.temperature;
    candidates_.emplace_back(std::exp(distance), static_cast<int32_t>(i));
  }
  KeepTopK();
  KeepTopP();
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.first;
  const double target = rng_.Uniform(draw) * total;
  double sum = 0;
  for (const auto& [weight, token] : candidates_) {
    sum += weight;
    if (target < sum) return token;
  }
  // Rounding: the target reached the end of the sum.
  return highest;
}

}  // namespace millwright::sample
