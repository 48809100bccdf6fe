// Stories110M: llama2.c's TinyStories model. 12 layers of multi-head attention.
#pragma once

#include "model/config.h"

namespace millwright::models {

inline constexpr model::ModelConfig kStories110M = {
    .name = "stories110m",
    .title = "Stories110M",
    .dim = 768,
    .hidden_dim = 2048,
    .layers = 12,
    .heads = 12,
    .kv_heads = 12,
    .head_dim = 64,
    .seq = 256,
    .vocab = 32000,
    .rope_theta = 10000.0,
    .rms_norm_eps = 1e-5,
    .rotary = model::RotaryLayout::kInterleaved,
    .qk_norm = false,
};
static_assert(kStories110M.IsValid());
static_assert(kStories110M.params() == 109'529'856);

inline constexpr const model::ModelConfig& kModel = kStories110M;

}  // namespace millwright::models
