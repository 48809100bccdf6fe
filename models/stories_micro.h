#pragma once

#include "model/config.h"

namespace millwright::models {

// For experiments with thousands of steps in slow arithmetic (docs/experiments/): the words of the
// embedded stories, sizes in multiples of 32, as the ANE wants them.
inline constexpr model::ModelConfig kStoriesMicro = {
    .name = "stories_micro",
    .title = "Stories micro",
    .dim = 64,
    .hidden_dim = 192,
    .layers = 2,
    .heads = 2,
    .kv_heads = 2,
    .head_dim = 32,
    .seq = 128,
    .vocab = 2048,
    .rope_theta = 10000.0,
    .rms_norm_eps = 1e-5,
    .rotary = model::RotaryLayout::kInterleaved,
    .qk_norm = false,
};
static_assert(kStoriesMicro.IsValid());
static_assert(kStoriesMicro.params() < 300'000);

inline constexpr const model::ModelConfig& kModel = kStoriesMicro;

}  // namespace millwright::models
