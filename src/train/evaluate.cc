#include "train/evaluate.h"

#include <algorithm>
#include <vector>

namespace millwright::train {
namespace {

// The sequences of one step and the losses of their positions.
struct StepData {
  explicit StepData(const Network<float>& network)
      : seq(static_cast<size_t>(network.config().seq)),
        ids(seq + 1),
        rows(static_cast<size_t>(network.positions())),
        targets(rows.size()),
        losses(rows.size()) {}

  // Puts a window in as sequence `index`. What lies after its inputs is padding of any word.
  Status Read(const data::TokenSource& tokens, const data::VocabMap& vocab,
              const data::EvalWindow& window, size_t index) {
    const auto inputs = static_cast<size_t>(window.inputs);
    const auto window_ids = std::span(ids).first(inputs + 1);
    tokens.Copy(window.begin, window_ids);
    const auto place = [&](std::vector<int32_t>& all) {
      const auto sequence = std::span(all).subspan(index * seq, seq);
      std::ranges::fill(sequence.subspan(inputs), 0);
      return sequence.first(inputs);
    };
    auto mapped = vocab.MapTokens(window_ids.first(inputs), place(rows));
    if (mapped) mapped = vocab.MapTokens(window_ids.subspan(1), place(targets));
    if (!mapped) return mapped.error().In(tokens.name());
    return {};
  }

  size_t seq;
  std::vector<int32_t> ids, rows, targets;
  std::vector<double> losses;
};

}  // namespace

Result<Evaluation> Evaluate(Network<float>& network, const data::TokenSource& tokens,
                            std::span<const data::EvalWindow> windows,
                            const EvaluationProgress& progress) {
  StepData step(network);
  const size_t batch = step.rows.size() / step.seq;
  Evaluation result;
  double total = 0;
  for (size_t first = 0; first < windows.size(); first += batch) {
    const size_t count = std::min(batch, windows.size() - first);
    for (size_t b = 0; b < count; ++b) {
      auto status = step.Read(tokens, network.vocab(), windows[first + b], b);
      if (!status) return status.error();
    }
    // Sequences beyond the last window hold what they held: nobody reads their losses.
    auto status = network.TokenLosses(step.rows, step.targets, step.losses);
    if (!status) return status.error();
    for (size_t b = 0; b < count; ++b) {
      const data::EvalWindow& window = windows[first + b];
      for (int64_t t = window.first; t < window.inputs; ++t) {
        total += step.losses[b * step.seq + static_cast<size_t>(t)];
      }
      result.tokens += window.predicted();
    }
    if (result.tokens == 0) continue;
    result.loss = total / static_cast<double>(result.tokens);
    if (progress) progress(result);
  }
  if (result.tokens == 0) return BadInput("{}: there is nothing to predict", tokens.name());
  return result;
}

}  // namespace millwright::train
