// Backward of Qwen3's QK-norm: RMSNorm over the channels of each head, one weight for all heads.
#pragma once

#include <cstdint>

namespace millwright::math {

// For each head and position: the RMSNorm backward of rmsnorm.h over head_dim channels.
// dy, x, dx: [heads * head_dim, seq] (dx may be dy); w: [head_dim]; dw[head_dim] is added to,
// or null.
// Source: Qwen3's modelling in Hugging Face transformers (Qwen3Attention, q_norm and k_norm).
void QkNormBackward(int64_t heads, int64_t head_dim, int64_t seq, double eps, const float* dy,
                    const float* x, const float* w, float* dx, float* dw);
void QkNormBackward(int64_t heads, int64_t head_dim, int64_t seq, double eps, const double* dy,
                    const double* x, const double* w, double* dx, double* dw);

}  // namespace millwright::math
