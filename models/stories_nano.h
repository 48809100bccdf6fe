// Stories nano: small enough to learn the embedded stories in two minutes on two cores.
#pragma once

#include "model/config.h"

namespace millwright::models {

inline constexpr model::ModelConfig kStoriesNano = {
    .name = "stories_nano",
    .title = "Stories nano",
    .dim = 256,
    .hidden_dim = 704,
    .layers = 5,
    .heads = 4,
    .kv_heads = 4,
    .head_dim = 64,
    .seq = 256,
    .vocab = 2048,
    .rope_theta = 10000.0,
    .rms_norm_eps = 1e-5,
    .rotary = model::RotaryLayout::kInterleaved,
    .qk_norm = false,
};
static_assert(kStoriesNano.IsValid());
static_assert(kStoriesNano.params() >= 3'000'000 && kStoriesNano.params() <= 6'000'000);

inline constexpr const model::ModelConfig& kModel = kStoriesNano;

}  // namespace millwright::models
