// The loss of a network on data, without training.
#pragma once

#include <functional>
#include <span>

#include "data/token_source.h"
#include "data/windows.h"
#include "train/network.h"

namespace millwright::train {

struct Evaluation {
  double loss = 0;     // mean over the predicted tokens, in nats
  int64_t tokens = 0;  // predicted ones
};

// Called after every step (a window, or as many as the network's batch) with what is known so far.
using EvaluationProgress = std::function<void(const Evaluation& so_far)>;

// Runs every window through the network and averages the losses of the positions that count. A
// window of fewer inputs than the network's seq is padded: attention is causal, so that nothing
// after it reaches its losses. Bad input: no windows, a token without a row in the network's
// vocabulary.
Result<Evaluation> Evaluate(Network<float>& network, const data::TokenSource& tokens,
                            std::span<const data::EvalWindow> windows,
                            const EvaluationProgress& progress = nullptr);

}  // namespace millwright::train
