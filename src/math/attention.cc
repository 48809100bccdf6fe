// Scores are kept transposed, [key, query], so that the lanes of a vector are queries: softmax then
// runs down the columns without a horizontal operation, and both products of the forward step are
// outer products of contiguous rows.
#include "math/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/round_up.h"
#include "base/threads.h"
#include "math/simd.h"
#include "math/tile_product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/attention.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h.
#include "hwy/contrib/math/math-inl.h"
#include "math/tile_product-inl.h"
#include "math/transpose-inl.h"

#ifndef MILLWRIGHT_MATH_ATTENTION_ONCE
#define MILLWRIGHT_MATH_ATTENTION_ONCE
namespace millwright::math {
namespace {

// Queries a block: a multiple of every vector size, and small enough that the scores of a block
// stay in the second-level cache for sequences of a few thousand.
constexpr int64_t kQueries = 64;
constexpr int64_t kPanel = kTileRows;

// Scratch of one thread. Operands are copied out of the channel-first activations because rows that
// lie a multiple of 1 KiB apart (256 positions) share too few sets of the first-level cache.
struct Scratch {
  float *k, *v;                       // panels of one kv head, channels as depth
  float *q, *dout;                    // [head_dim, kQueries] of one block; q is scaled
  float *scores, *gradients;          // [seq, kQueries], transposed
  float *q_t, *dout_t, *dk_t, *dv_t;  // [positions, channels]: of one block, of a kv head

  // Lays the parts out from `base`, those of the backward step last; returns the floats they take.
  int64_t Place(const AttentionShape& s, bool backward, float* base) {
    const int64_t panels = RoundUp(s.seq, kPanel) * RoundUp(s.head_dim, 16);
    const int64_t block = kQueries * RoundUp(s.head_dim, 16);
    const int64_t all_scores = RoundUp(s.seq, 16) * kQueries;
    const int64_t head = RoundUp(s.seq, 16) * RoundUp(s.head_dim, 16);
    int64_t used = 0;
    const auto take = [&](int64_t floats) {
      float* part = base == nullptr ? nullptr : base + used;
      used += RoundUp(floats, 16);
      return part;
    };
    k = take(panels), q = take(block), scores = take(all_scores);
    if (!backward) return used;
    v = take(panels), dout = take(block), gradients = take(all_scores);
    q_t = take(block), dout_t = take(block), dk_t = take(head), dv_t = take(head);
    return used;
  }

  static int64_t Floats(const AttentionShape& shape, bool backward) {
    return Scratch{}.Place(shape, backward, nullptr);
  }
};

// A block of queries of one head.
struct QueryBlock {
  int64_t first = 0, count = 0;  // queries
  int64_t keys = 0;              // keys that any of them sees
};

QueryBlock BlockAt(const AttentionShape& shape, int64_t index) {
  QueryBlock block;
  block.first = index * kQueries;
  block.count = std::min(kQueries, shape.seq - block.first);
  block.keys = shape.causal ? block.first + block.count : shape.seq;
  return block;
}

int64_t BlockCount(const AttentionShape& shape) { return (shape.seq + kQueries - 1) / kQueries; }

}  // namespace
}  // namespace millwright::math
#endif  // MILLWRIGHT_MATH_ATTENTION_ONCE

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Panels of positions with channels as depth: to[p / kPanel][channel][p % kPanel].
void PackPanels(const AttentionShape& shape, const float* HWY_RESTRICT from, int64_t stride,
                float* HWY_RESTRICT to) {
  for (int64_t c = 0; c < shape.head_dim; ++c) {
    const float* HWY_RESTRICT row = from + c * stride;
    float* HWY_RESTRICT out = to + c * kPanel;
    int64_t p = 0;
    for (; p + kPanel <= shape.seq; p += kPanel, out += kPanel * shape.head_dim) {
      hwy::CopyBytes<kPanel * sizeof(float)>(row + p, out);
    }
    for (int64_t i = 0; p + i < shape.seq; ++i) out[i] = row[p + i];
  }
}

// A block's columns as [head_dim, kQueries], times `factor`.
void PackBlock(const AttentionShape& shape, const QueryBlock& block, const float* HWY_RESTRICT from,
               int64_t stride, float factor, float* HWY_RESTRICT to) {
  for (int64_t c = 0; c < shape.head_dim; ++c) {
    for (int64_t i = 0; i < block.count; ++i) {
      to[c * kQueries + i] = factor * from[c * stride + block.first + i];
    }
  }
}

// to[key, query] = sum_i panels[key, i] values[i, query].
void OverChannels(const AttentionShape& shape, const QueryBlock& block, const float* panels,
                  const float* values, float* to) {
  MultiplyTiles({.rows = block.keys,
                 .columns = block.count,
                 .depth = shape.head_dim,
                 .a = panels,
                 .row_stride = 1,
                 .depth_stride = kPanel,
                 .panels = true,
                 .b = values,
                 .ldb = kQueries,
                 .c = to,
                 .ldc = kQueries});
}

// to[channel, query] = sum_key values[channel, key] weights[key, query], into an activation.
void OverKeys(const AttentionShape& shape, const QueryBlock& block, const float* values,
              int64_t stride, const float* weights, float* to, int64_t to_stride) {
  MultiplyTiles({.rows = shape.head_dim,
                 .columns = block.count,
                 .depth = block.keys,
                 .a = values,
                 .row_stride = stride,
                 .depth_stride = 1,
                 .b = weights,
                 .ldb = kQueries,
                 .c = to + block.first,
                 .ldc = to_stride});
}

// scores[key, query] = sum_i k[i, key] q[i, query], plus the mask.
void Scores(const AttentionShape& shape, const QueryBlock& block, const float* q, const float* k,
            float* scores) {
  OverChannels(shape, block, k, q, scores);
  if (shape.mask != nullptr) {
    for (int64_t key = 0; key < block.keys; ++key) {
      for (int64_t i = 0; i < block.count; ++i) {
        scores[key * kQueries + i] += shape.mask[(block.first + i) * shape.seq + key];
      }
    }
  }
  if (!shape.causal) return;
  for (int64_t key = block.first + 1; key < block.keys; ++key) {
    std::fill_n(scores + key * kQueries, std::min(key - block.first, block.count),
                -std::numeric_limits<float>::infinity());
  }
}

// Calls body(first) for each group of kGroup vectors of queries, so that their chains of dependent
// operations overlap and a line of scores is read by as few groups as can be. The last group may
// go beyond block.count: those columns hold whatever they held, and nobody reads them.
constexpr int64_t kGroup = 4;
template <class Body>
HWY_INLINE void ForEachGroup(const QueryBlock& block, const Body& body) {
  const auto n = static_cast<int64_t>(hn::Lanes(D()));
  static_assert(kQueries % (kGroup * HWY_LANES(float)) == 0);
  for (int64_t first = 0; first < block.count; first += kGroup * n) body(first);
}

// Softmax down the columns.
void Softmax(const QueryBlock& block, float* scores) {
  const D d;
  const auto n = static_cast<int64_t>(hn::Lanes(d));
  ForEachGroup(block, [&](int64_t first) HWY_ATTR {
    V highest[kGroup], sum[kGroup];
    HWY_UNROLL(4) for (int64_t v = 0; v < kGroup; ++v) {
      highest[v] = hn::Set(d, -std::numeric_limits<float>::max());
      sum[v] = hn::Zero(d);
    }
    for (int64_t key = 0; key < block.keys; ++key) {
      const float* at = scores + key * kQueries + first;
      HWY_UNROLL(4) for (int64_t v = 0; v < kGroup; ++v) {
        highest[v] = hn::Max(highest[v], hn::LoadU(d, at + v * n));
      }
    }
    for (int64_t key = 0; key < block.keys; ++key) {
      float* at = scores + key * kQueries + first;
      HWY_UNROLL(4) for (int64_t v = 0; v < kGroup; ++v, at += n) {
        // What is masked, or so small, counts as zero. The bound keeps -inf out of Exp, and Exp out
        // of numbers below 2^-126, each of which costs a CPU a hundred cycles.
        const V least = hn::Set(d, -87.0f);
        const V shifted = hn::Max(hn::Sub(hn::LoadU(d, at), highest[v]), least);
        const V kept = hn::IfThenElseZero(hn::Gt(shifted, least), hn::Exp(d, shifted));
        sum[v] = hn::Add(sum[v], kept);
        hn::StoreU(kept, d, at);
      }
    }
    HWY_UNROLL(4) for (V& total : sum) total = hn::Div(hn::Set(d, 1.0f), total);
    for (int64_t key = 0; key < block.keys; ++key) {
      float* at = scores + key * kQueries + first;
      HWY_UNROLL(4) for (int64_t v = 0; v < kGroup; ++v, at += n) {
        hn::StoreU(hn::Mul(hn::LoadU(d, at), sum[v]), d, at);
      }
    }
  });
}

void ForwardHead(const AttentionShape& shape, const float* q, int64_t q_stride, const float* k,
                 int64_t k_stride, const float* v, int64_t v_stride, float* out, int64_t out_stride,
                 const Scratch& t) {
  PackPanels(shape, k, k_stride, t.k);
  for (int64_t index = 0; index < BlockCount(shape); ++index) {
    const QueryBlock block = BlockAt(shape, index);
    PackBlock(shape, block, q, q_stride, static_cast<float>(shape.scale), t.q);
    Scores(shape, block, t.q, t.k, t.scores);
    Softmax(block, t.scores);
    OverKeys(shape, block, v, v_stride, t.scores, out, out_stride);
  }
}

// gradients = probs * (gradients - sum_key probs * gradients), column by column.
void ScoreGradient(const QueryBlock& block, const float* probs, float* gradients) {
  const D d;
  const auto n = static_cast<int64_t>(hn::Lanes(d));
  ForEachGroup(block, [&](int64_t first) HWY_ATTR {
    V dot[kGroup];
    HWY_UNROLL(4) for (V& sum : dot) sum = hn::Zero(d);
    for (int64_t key = 0; key < block.keys; ++key) {
      int64_t at = key * kQueries + first;
      HWY_UNROLL(4) for (int64_t v = 0; v < kGroup; ++v, at += n) {
        dot[v] = hn::MulAdd(hn::LoadU(d, probs + at), hn::LoadU(d, gradients + at), dot[v]);
      }
    }
    for (int64_t key = 0; key < block.keys; ++key) {
      int64_t at = key * kQueries + first;
      HWY_UNROLL(4) for (int64_t v = 0; v < kGroup; ++v, at += n) {
        const V centred = hn::Sub(hn::LoadU(d, gradients + at), dot[v]);
        hn::StoreU(hn::Mul(hn::LoadU(d, probs + at), centred), d, gradients + at);
      }
    }
  });
}

// The block's columns of an activation times `factor`.
void ScaleBlock(const AttentionShape& shape, const QueryBlock& block, float factor, float* to,
                int64_t stride) {
  for (int64_t c = 0; c < shape.head_dim; ++c) {
    for (int64_t i = 0; i < block.count; ++i) to[c * stride + block.first + i] *= factor;
  }
}

// sums[key, channel] = sum_query weights[key, query] values[query, channel], or += where `add`.
void AddOuter(const AttentionShape& shape, const QueryBlock& block, const float* weights,
              const float* values, bool add, float* sums) {
  const int64_t ld = RoundUp(shape.head_dim, 16);
  MultiplyTiles({.rows = block.keys,
                 .columns = shape.head_dim,
                 .depth = block.count,
                 .a = weights,
                 .row_stride = kQueries,
                 .depth_stride = 1,
                 .b = values,
                 .ldb = ld,
                 .c = sums,
                 .ldc = ld,
                 .accumulate = add});
}

// One query head's share of a kv head's gradients, in t.dk_t and t.dv_t: added to what is there,
// or instead of it. The last block of queries, which sees all keys, comes first.
void BackwardHead(const AttentionShape& shape, const float* q, int64_t q_stride, const float* k,
                  int64_t k_stride, const float* dout, int64_t dout_stride, float* dq,
                  int64_t dq_stride, bool add, const Scratch& t) {
  const int64_t ld = RoundUp(shape.head_dim, 16);
  const float scale = static_cast<float>(shape.scale);
  for (int64_t index = BlockCount(shape) - 1; index >= 0; --index, add = true) {
    const QueryBlock block = BlockAt(shape, index);
    PackBlock(shape, block, q, q_stride, scale, t.q);
    PackBlock(shape, block, dout, dout_stride, 1.0f, t.dout);
    Scores(shape, block, t.q, t.k, t.scores);
    Softmax(block, t.scores);
    OverChannels(shape, block, t.v, t.dout, t.gradients);
    // dS without the scale: t.q carries it for dk, and dq is scaled below.
    ScoreGradient(block, t.scores, t.gradients);
    OverKeys(shape, block, k, k_stride, t.gradients, dq, dq_stride);
    ScaleBlock(shape, block, scale, dq, dq_stride);
    Transpose(t.q, kQueries, shape.head_dim, block.count, t.q_t, ld);
    Transpose(t.dout, kQueries, shape.head_dim, block.count, t.dout_t, ld);
    AddOuter(shape, block, t.scores, t.dout_t, add, t.dv_t);
    AddOuter(shape, block, t.gradients, t.q_t, add, t.dk_t);
  }
}

void BackwardKvHead(const AttentionShape& shape, int64_t kv, Heads<const float> q,
                    Heads<const float> k, Heads<const float> v, Heads<const float> dout,
                    Heads<float> dq, Heads<float> dk, Heads<float> dv, const Scratch& t) {
  const int64_t ld = RoundUp(shape.head_dim, 16);
  const int64_t group = shape.heads / shape.kv_heads;
  const float* k_head = k.data + kv * k.head_stride;
  PackPanels(shape, k_head, k.channel_stride, t.k);
  PackPanels(shape, v.data + kv * v.head_stride, v.channel_stride, t.v);
  const bool per_head = shape.kv_gradients_per_query_head;
  for (int64_t head = kv * group; head < (kv + 1) * group; ++head) {
    BackwardHead(shape, q.data + head * q.head_stride, q.channel_stride, k_head, k.channel_stride,
                 dout.data + head * dout.head_stride, dout.channel_stride,
                 dq.data + head * dq.head_stride, dq.channel_stride, !per_head && head > kv * group,
                 t);
    if (!per_head && head + 1 < (kv + 1) * group) continue;
    const int64_t to = per_head ? head : kv;
    Transpose(t.dk_t, ld, shape.seq, shape.head_dim, dk.data + to * dk.head_stride,
              dk.channel_stride);
    Transpose(t.dv_t, ld, shape.seq, shape.head_dim, dv.data + to * dv.head_stride,
              dv.channel_stride);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {

HWY_EXPORT(ForwardHead);
HWY_EXPORT(BackwardKvHead);

namespace {

// One sequence of a batch, and one head of it.
template <class T>
Heads<T> SequenceOf(Heads<T> heads, int64_t n) {
  heads.data += n * heads.batch_stride;
  return heads;
}

template <class T>
T* HeadOf(const Heads<T>& heads, int64_t n, int64_t head) {
  return heads.data + n * heads.batch_stride + head * heads.head_stride;
}

// body(i, scratch) for all i < count, with a scratch for each thread.
template <class Body>
void ForEachHead(const AttentionShape& shape, bool backward, int64_t count, float* scratch,
                 const Body& body) {
  ParallelUnits(count, [&](int64_t i, int thread) {
    Scratch mine{};
    mine.Place(shape, backward, scratch + thread * Scratch::Floats(shape, backward));
    body(i, mine);
  });
}

}  // namespace

int64_t AttentionForwardScratch(const AttentionShape& shape) {
  return GetThreads() * Scratch::Floats(shape, false);
}

int64_t AttentionBackwardScratch(const AttentionShape& shape) {
  return GetThreads() * Scratch::Floats(shape, true);
}

void AttentionForward(const AttentionShape& shape, Heads<const float> q, Heads<const float> k,
                      Heads<const float> v, Heads<float> out, float* scratch) {
  const int64_t group = shape.heads / shape.kv_heads;
  ForEachHead(shape, false, shape.batch * shape.heads, scratch,
              [&](int64_t i, const Scratch& mine) {
                const int64_t n = i / shape.heads, h = i % shape.heads, kv = h / group;
                HWY_DYNAMIC_DISPATCH(ForwardHead)
                (shape, HeadOf(q, n, h), q.channel_stride, HeadOf(k, n, kv), k.channel_stride,
                 HeadOf(v, n, kv), v.channel_stride, HeadOf(out, n, h), out.channel_stride, mine);
              });
}

void AttentionBackward(const AttentionShape& shape, Heads<const float> q, Heads<const float> k,
                       Heads<const float> v, Heads<const float> dout, Heads<float> dq,
                       Heads<float> dk, Heads<float> dv, float* scratch) {
  ForEachHead(
      shape, true, shape.batch * shape.kv_heads, scratch, [&](int64_t i, const Scratch& mine) {
        const int64_t n = i / shape.kv_heads, kv = i % shape.kv_heads;
        HWY_DYNAMIC_DISPATCH(BackwardKvHead)
        (shape, kv, SequenceOf(q, n), SequenceOf(k, n), SequenceOf(v, n), SequenceOf(dout, n),
         SequenceOf(dq, n), SequenceOf(dk, n), SequenceOf(dv, n), mine);
      });
}

}  // namespace millwright::math
#endif  // HWY_ONCE
