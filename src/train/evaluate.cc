#include "train/evaluate.h"

#include <algorithm>
#include <vector>

namespace millwright::train {

Result<Evaluation> Evaluate(Network<float>& network, const data::TokenSource& tokens,
                            std::span<const data::EvalWindow> windows,
                            const EvaluationProgress& progress) {
  const auto seq = static_cast<size_t>(network.config().seq);
  // Inputs, the target of the last one, then padding of any word.
  std::vector<int32_t> ids(seq + 1), rows(seq + 1);
  std::vector<double> losses(seq);
  Evaluation result;
  double total = 0;
  for (const data::EvalWindow& window : windows) {
    const auto inputs = static_cast<size_t>(window.inputs);
    tokens.Copy(window.begin, std::span(ids).first(inputs + 1));
    auto status = network.vocab().MapTokens(std::span(ids).first(inputs + 1),
                                            std::span(rows).first(inputs + 1));
    if (!status) return status.error().In(tokens.name());
    std::fill(rows.begin() + static_cast<std::ptrdiff_t>(inputs) + 1, rows.end(), 0);
    const std::span<const int32_t> all(rows);
    status = network.TokenLosses(all.first(seq), all.subspan(1), losses);
    if (!status) return status.error();
    for (int64_t t = window.first; t < window.inputs; ++t) total += losses[static_cast<size_t>(t)];
    result.tokens += window.predicted();
    result.loss = total / static_cast<double>(result.tokens);
    if (progress) progress(result);
  }
  if (result.tokens == 0) return BadInput("{}: there is nothing to predict", tokens.name());
  return result;
}

}  // namespace millwright::train
