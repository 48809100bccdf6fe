// Masked attention over channel-first heads, forward and backward, block by block: the scores of a
// block of queries live in a cache, never all of them in memory, and blocks that a causal mask
// removes are not computed.
#pragma once

#include <cstdint>

namespace millwright::math {

// A tensor of heads: element (sequence, head, channel, position) lies at
// data[sequence * batch_stride + head * head_stride + channel * channel_stride + position].
template <class T>
struct Heads {
  T* data = nullptr;
  int64_t head_stride = 0, channel_stride = 0, batch_stride = 0;
};

// `batch` sequences that do not see each other. Query head h reads kv head h / (heads / kv_heads).
// q is multiplied by `scale` before the scores are formed. With `causal`, keys behind the query are
// left out; `mask`, where not null, is [seq, seq] with query-major rows and is added to the scores.
struct AttentionShape {
  int64_t heads = 0, kv_heads = 0, head_dim = 0, seq = 0;
  double scale = 1.0;
  bool causal = true;
  const float* mask = nullptr;
  // Backward: dk and dv have a head for every query head instead of their sums over kv heads.
  bool kv_gradients_per_query_head = false;
  int64_t batch = 1;
};

// Floats of scratch memory, 64-byte aligned, for the number of threads of base/threads.h.
int64_t AttentionForwardScratch(const AttentionShape& shape);
int64_t AttentionBackwardScratch(const AttentionShape& shape);

// out = softmax(scale q^T k + mask) v, per head.
void AttentionForward(const AttentionShape& shape, Heads<const float> q, Heads<const float> k,
                      Heads<const float> v, Heads<float> out, float* scratch);

// With P the probabilities, recomputed: dv = P^T dout, dS = P (dP - sum_k P dP), dq = scale dS k,
// dk = scale dS^T q; dk and dv sum over the query heads of their kv head, unless the shape says
// otherwise. Outputs are overwritten.
// Source: Dao et al., "FlashAttention", 2022, appendix B, without the saved statistics.
void AttentionBackward(const AttentionShape& shape, Heads<const float> q, Heads<const float> k,
                       Heads<const float> v, Heads<const float> dout, Heads<float> dq,
                       Heads<float> dk, Heads<float> dv, float* scratch);

}  // namespace millwright::math
