// Scores are kept transposed, [key, query], so that the lanes of a vector are queries: softmax then
// runs down the columns without a horizontal operation, and both products of the forward step are
// outer products of contiguous rows.
#include "math/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/threads.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/attention.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h.
#include "hwy/contrib/math/math-inl.h"

#ifndef MILLWRIGHT_MATH_ATTENTION_ONCE
#define MILLWRIGHT_MATH_ATTENTION_ONCE
namespace millwright::math {
namespace {

// Queries a block: a multiple of every vector size, and small enough that the scores of a block
// stay in the second-level cache for sequences of a few thousand.
constexpr int64_t kQueries = 64;

// C[rows, columns] (+)= A B with A(r, d) at a[r * row_stride + d * depth_stride].
struct Product {
  int64_t rows = 0, columns = 0, depth = 0;
  const float* a = nullptr;
  int64_t row_stride = 0, depth_stride = 0;
  const float* b = nullptr;
  int64_t ldb = 0;
  float* c = nullptr;
  int64_t ldc = 0;
  bool accumulate = false;
};

int64_t RoundUp(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// Scratch of one thread.
struct Scratch {
  float *scores, *gradients;  // [seq, kQueries], transposed
  float *q, *dout, *dk, *dv;  // [seq, head_dim], transposed; q and dout of one block
  static int64_t Floats(const AttentionShape& s, bool backward) {
    const int64_t scores_size = RoundUp(s.seq, 16) * kQueries;
    const int64_t head = RoundUp(s.seq, 16) * RoundUp(s.head_dim, 16);
    const int64_t block = kQueries * RoundUp(s.head_dim, 16);
    return backward ? 2 * scores_size + 2 * block + 2 * head : scores_size;
  }
  static Scratch At(const AttentionShape& s, float* base) {
    const int64_t scores_size = RoundUp(s.seq, 16) * kQueries;
    const int64_t head = RoundUp(s.seq, 16) * RoundUp(s.head_dim, 16);
    const int64_t block = kQueries * RoundUp(s.head_dim, 16);
    Scratch result{};
    result.scores = base;
    result.gradients = result.scores + scores_size;
    result.q = result.gradients + scores_size;
    result.dout = result.q + block;
    result.dk = result.dout + block;
    result.dv = result.dk + head;
    return result;
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

// A tile of kRows rows and one or two vectors of C in registers.
template <int kRows, bool kTwo>
HWY_INLINE void Tile(const Product& p, int64_t row, int64_t column) {
  const D d;
  const auto n = static_cast<int64_t>(hn::Lanes(d));
  V x[kRows], y[kRows];
  for (int r = 0; r < kRows; ++r) x[r] = y[r] = hn::Zero(d);
  const float* HWY_RESTRICT a = p.a + row * p.row_stride;
  const float* HWY_RESTRICT b = p.b + column;
  for (int64_t k = 0; k < p.depth; ++k) {
    const V b0 = hn::LoadU(d, b);
    const V b1 = kTwo ? hn::LoadU(d, b + n) : hn::Zero(d);
    for (int r = 0; r < kRows; ++r) {
      const V value = hn::Set(d, a[r * p.row_stride]);
      x[r] = hn::MulAdd(value, b0, x[r]);
      if (kTwo) y[r] = hn::MulAdd(value, b1, y[r]);
    }
    a += p.depth_stride;
    b += p.ldb;
  }
  for (int r = 0; r < kRows; ++r) {
    float* c = p.c + (row + r) * p.ldc + column;
    hn::StoreU(p.accumulate ? hn::Add(hn::LoadU(d, c), x[r]) : x[r], d, c);
    if (kTwo) hn::StoreU(p.accumulate ? hn::Add(hn::LoadU(d, c + n), y[r]) : y[r], d, c + n);
  }
}

// The columns that do not fill a vector: only sequences of odd length have them.
HWY_INLINE void ScalarTail(const Product& p, int64_t row, int64_t rows, int64_t column) {
  for (int64_t r = row; r < row + rows; ++r) {
    for (int64_t j = column; j < p.columns; ++j) {
      float sum = p.accumulate ? p.c[r * p.ldc + j] : 0.0f;
      for (int64_t k = 0; k < p.depth; ++k) {
        sum += p.a[r * p.row_stride + k * p.depth_stride] * p.b[k * p.ldb + j];
      }
      p.c[r * p.ldc + j] = sum;
    }
  }
}

template <int kRows>
HWY_INLINE void TileRow(const Product& p, int64_t row) {
  const auto n = static_cast<int64_t>(hn::Lanes(D()));
  int64_t column = 0;
  for (; column + 2 * n <= p.columns; column += 2 * n) Tile<kRows, true>(p, row, column);
  for (; column + n <= p.columns; column += n) Tile<kRows, false>(p, row, column);
  ScalarTail(p, row, kRows, column);
}

#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kTileRows = 12;
#else
constexpr int kTileRows = 6;
#endif

void Multiply(const Product& p) {
  int64_t row = 0;
  for (; row + kTileRows <= p.rows; row += kTileRows) TileRow<kTileRows>(p, row);
  for (; row + 4 <= p.rows; row += 4) TileRow<4>(p, row);
  for (; row < p.rows; ++row) TileRow<1>(p, row);
}

// scores[key, query] = scale * sum_i k[i, key] q[i, query], plus the mask.
void Scores(const AttentionShape& shape, const QueryBlock& block, const float* q, int64_t q_stride,
            const float* k, int64_t k_stride, float* scores) {
  Multiply({.rows = block.keys,
            .columns = block.count,
            .depth = shape.head_dim,
            .a = k,
            .row_stride = 1,
            .depth_stride = k_stride,
            .b = q + block.first,
            .ldb = q_stride,
            .c = scores,
            .ldc = kQueries});
  const float scale = static_cast<float>(shape.scale);
  const D d;
  const V factor = hn::Set(d, scale);
  const auto n = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t key = 0; key < block.keys; ++key) {
    float* row = scores + key * kQueries;
    for (int64_t i = 0; i < kQueries; i += n)
      hn::StoreU(hn::Mul(factor, hn::LoadU(d, row + i)), d, row + i);
    if (shape.mask != nullptr) {
      for (int64_t i = 0; i < block.count; ++i)
        row[i] += shape.mask[(block.first + i) * shape.seq + key];
    }
    if (shape.causal) {
      for (int64_t i = 0; i < key - block.first && i < block.count; ++i) {
        row[i] = -std::numeric_limits<float>::infinity();
      }
    }
  }
}

// Softmax down the columns. Columns beyond block.count hold whatever they held; nobody reads them.
void Softmax(const QueryBlock& block, float* scores) {
  const D d;
  const auto n = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t column = 0; column < block.count; column += n) {
    V highest = hn::Set(d, -std::numeric_limits<float>::max());
    for (int64_t key = 0; key < block.keys; ++key) {
      highest = hn::Max(highest, hn::LoadU(d, scores + key * kQueries + column));
    }
    V sum = hn::Zero(d);
    for (int64_t key = 0; key < block.keys; ++key) {
      float* at = scores + key * kQueries + column;
      // Below -100 the exponential is zero in fp32; the bound keeps -inf out of Exp.
      const V shifted = hn::Max(hn::Sub(hn::LoadU(d, at), highest), hn::Set(d, -100.0f));
      const V value = hn::Exp(d, shifted);
      const V kept = hn::IfThenElseZero(hn::Gt(shifted, hn::Set(d, -100.0f)), value);
      sum = hn::Add(sum, kept);
      hn::StoreU(kept, d, at);
    }
    const V inverse = hn::Div(hn::Set(d, 1.0f), sum);
    for (int64_t key = 0; key < block.keys; ++key) {
      float* at = scores + key * kQueries + column;
      hn::StoreU(hn::Mul(hn::LoadU(d, at), inverse), d, at);
    }
  }
}

void ForwardBlock(const AttentionShape& shape, const QueryBlock& block, const float* q,
                  int64_t q_stride, const float* k, int64_t k_stride, const float* v,
                  int64_t v_stride, float* out, int64_t out_stride, float* scores) {
  Scores(shape, block, q, q_stride, k, k_stride, scores);
  Softmax(block, scores);
  Multiply({.rows = shape.head_dim,
            .columns = block.count,
            .depth = block.keys,
            .a = v,
            .row_stride = v_stride,
            .depth_stride = 1,
            .b = scores,
            .ldb = kQueries,
            .c = out + block.first,
            .ldc = out_stride});
}

// gradients = scores * (gradients - sum_key scores * gradients) * scale, column by column.
void ScoreGradient(const QueryBlock& block, double scale, const float* probs, float* gradients) {
  const D d;
  const auto n = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t column = 0; column < block.count; column += n) {
    V dot = hn::Zero(d);
    for (int64_t key = 0; key < block.keys; ++key) {
      const int64_t at = key * kQueries + column;
      dot = hn::MulAdd(hn::LoadU(d, probs + at), hn::LoadU(d, gradients + at), dot);
    }
    const V factor = hn::Set(d, static_cast<float>(scale));
    for (int64_t key = 0; key < block.keys; ++key) {
      const int64_t at = key * kQueries + column;
      const V centred = hn::Mul(factor, hn::Sub(hn::LoadU(d, gradients + at), dot));
      hn::StoreU(hn::Mul(hn::LoadU(d, probs + at), centred), d, gradients + at);
    }
  }
}

// to[position, channel] = from[channel, position] for `count` positions.
void TransposeIn(const float* from, int64_t stride, int64_t channels, int64_t count, float* to,
                 int64_t ld) {
  for (int64_t s = 0; s < count; ++s) {
    for (int64_t c = 0; c < channels; ++c) to[s * ld + c] = from[c * stride + s];
  }
}

// sums[key, channel] += sum_query weights[key, query] values[query, channel].
void AddOuter(const AttentionShape& shape, const QueryBlock& block, const float* weights,
              const float* values, float* sums) {
  const int64_t ld = RoundUp(shape.head_dim, 16);
  Multiply({.rows = block.keys,
            .columns = shape.head_dim,
            .depth = block.count,
            .a = weights,
            .row_stride = kQueries,
            .depth_stride = 1,
            .b = values,
            .ldb = ld,
            .c = sums,
            .ldc = ld,
            .accumulate = true});
}

// One query head's share of a kv head's gradients, accumulated in t.dk and t.dv.
void BackwardHead(const AttentionShape& shape, const float* q, int64_t q_stride, const float* k,
                  int64_t k_stride, const float* v, int64_t v_stride, const float* dout,
                  int64_t dout_stride, float* dq, int64_t dq_stride, const Scratch& t) {
  const int64_t ld = RoundUp(shape.head_dim, 16);
  for (int64_t index = 0; index < BlockCount(shape); ++index) {
    const QueryBlock block = BlockAt(shape, index);
    Scores(shape, block, q, q_stride, k, k_stride, t.scores);
    Softmax(block, t.scores);
    Multiply({.rows = block.keys,
              .columns = block.count,
              .depth = shape.head_dim,
              .a = v,
              .row_stride = 1,
              .depth_stride = v_stride,
              .b = dout + block.first,
              .ldb = dout_stride,
              .c = t.gradients,
              .ldc = kQueries});
    ScoreGradient(block, shape.scale, t.scores, t.gradients);
    Multiply({.rows = shape.head_dim,
              .columns = block.count,
              .depth = block.keys,
              .a = k,
              .row_stride = k_stride,
              .depth_stride = 1,
              .b = t.gradients,
              .ldb = kQueries,
              .c = dq + block.first,
              .ldc = dq_stride});
    TransposeIn(q + block.first, q_stride, shape.head_dim, block.count, t.q, ld);
    TransposeIn(dout + block.first, dout_stride, shape.head_dim, block.count, t.dout, ld);
    AddOuter(shape, block, t.scores, t.dout, t.dv);
    AddOuter(shape, block, t.gradients, t.q, t.dk);
  }
}

void BackwardKvHead(const AttentionShape& shape, int64_t kv, Heads<const float> q,
                    Heads<const float> k, Heads<const float> v, Heads<const float> dout,
                    Heads<float> dq, Heads<float> dk, Heads<float> dv, const Scratch& t) {
  const int64_t ld = RoundUp(shape.head_dim, 16);
  const int64_t group = shape.heads / shape.kv_heads;
  const auto bytes = static_cast<size_t>(shape.seq * ld) * sizeof(float);
  std::memset(t.dk, 0, bytes);
  std::memset(t.dv, 0, bytes);
  for (int64_t head = kv * group; head < (kv + 1) * group; ++head) {
    BackwardHead(shape, q.data + head * q.head_stride, q.channel_stride,
                 k.data + kv * k.head_stride, k.channel_stride, v.data + kv * v.head_stride,
                 v.channel_stride, dout.data + head * dout.head_stride, dout.channel_stride,
                 dq.data + head * dq.head_stride, dq.channel_stride, t);
  }
  for (const auto& [from, to] : {std::pair<float*, Heads<float>>{t.dk, dk}, {t.dv, dv}}) {
    float* base = to.data + kv * to.head_stride;
    for (int64_t c = 0; c < shape.head_dim; ++c) {
      for (int64_t s = 0; s < shape.seq; ++s) base[c * to.channel_stride + s] = from[s * ld + c];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {

HWY_EXPORT(ForwardBlock);
HWY_EXPORT(BackwardKvHead);

int64_t AttentionForwardScratch(const AttentionShape& shape) {
  return GetThreads() * Scratch::Floats(shape, false);
}

int64_t AttentionBackwardScratch(const AttentionShape& shape) {
  return GetThreads() * Scratch::Floats(shape, true);
}

void AttentionForward(const AttentionShape& shape, Heads<const float> q, Heads<const float> k,
                      Heads<const float> v, Heads<float> out, float* scratch) {
  const int64_t threads = std::min<int64_t>(GetThreads(), shape.heads);
  const int64_t group = shape.heads / shape.kv_heads;
  // One part a thread, so that each part has its own scratch.
  ParallelFor(threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      float* scores = scratch + part * Scratch::Floats(shape, false);
      for (int64_t h = part * shape.heads / threads; h < (part + 1) * shape.heads / threads; ++h) {
        const int64_t kv = h / group;
        for (int64_t index = 0; index < BlockCount(shape); ++index) {
          HWY_DYNAMIC_DISPATCH(ForwardBlock)
          (shape, BlockAt(shape, index), q.data + h * q.head_stride, q.channel_stride,
           k.data + kv * k.head_stride, k.channel_stride, v.data + kv * v.head_stride,
           v.channel_stride, out.data + h * out.head_stride, out.channel_stride, scores);
        }
      }
    }
  });
}

void AttentionBackward(const AttentionShape& shape, Heads<const float> q, Heads<const float> k,
                       Heads<const float> v, Heads<const float> dout, Heads<float> dq,
                       Heads<float> dk, Heads<float> dv, float* scratch) {
  const int64_t threads = std::min<int64_t>(GetThreads(), shape.kv_heads);
  ParallelFor(threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const Scratch mine = Scratch::At(shape, scratch + part * Scratch::Floats(shape, true));
      for (int64_t kv = part * shape.kv_heads / threads; kv < (part + 1) * shape.kv_heads / threads;
           ++kv) {
        HWY_DYNAMIC_DISPATCH(BackwardKvHead)(shape, kv, q, k, v, dout, dq, dk, dv, mine);
      }
    }
  });
}

}  // namespace millwright::math
#endif  // HWY_ONCE
