// Qwen3-0.6B: 28 layers of grouped-query attention with QK-norm; head_dim is not dim / heads.
#pragma once

#include "model/config.h"

namespace millwright::models {

inline constexpr model::ModelConfig kQwen3_06B = {
    .name = "qwen3_06b",
    .title = "Qwen3-0.6B",
    .dim = 1024,
    .hidden_dim = 3072,
    .layers = 28,
    .heads = 16,
    .kv_heads = 8,
    .head_dim = 128,
    .seq = 256,
    .vocab = 151936,
    .rope_theta = 1e6,
    .rms_norm_eps = 1e-6,
    .rotary = model::RotaryLayout::kHalfSplit,
    .qk_norm = true,
};
static_assert(kQwen3_06B.IsValid());
static_assert(kQwen3_06B.params() == 596'049'920);

inline constexpr const model::ModelConfig& kModel = kQwen3_06B;

}  // namespace millwright::models
