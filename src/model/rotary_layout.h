// Turning weights from one rotary layout into the other.
#pragma once

#include <span>

#include "model/tensors.h"

namespace millwright::model {

// True for the tensors whose rows are the channels that rotary embedding pairs: wq, wk and, per
// head, the QK-norm weights.
bool FollowsRotaryLayout(TensorRole role);

// Reorders `data`, a whole tensor of `spec` stored in layout `from`, into layout `to`; an exact
// permutation of rows within each head: half-split row i is interleaved row 2i, and half-split row
// i + head_dim/2 is interleaved row 2i+1. Other tensors are left alone. Of a LoRA
// adapter B follows its projection, whose rows are B's, and A does not. A network whose tensors and
// config are converted together computes the same function, because scores are sums over channels.
void ConvertRotary(const ModelConfig& config, const TensorSpec& spec, RotaryLayout from,
                   RotaryLayout to, std::span<float> data);

}  // namespace millwright::model
