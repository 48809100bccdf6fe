#include "math/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "base/aligned.h"
#include "base/rng.h"
#include "base/tolerance.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using testing::OnEachTarget;

// All of attention and its backward in double, from the definition.
struct Reference {
  explicit Reference(const AttentionShape& s) : shape(s) {}

  size_t At(int64_t head, int64_t channel, int64_t position) const {
    return static_cast<size_t>((head * shape.head_dim + channel) * shape.seq + position);
  }

  std::vector<double> Row(const std::vector<float>& q, const std::vector<float>& k, int64_t h,
                          int64_t query) const {
    const int64_t kv = h / (shape.heads / shape.kv_heads);
    std::vector<double> p(static_cast<size_t>(shape.seq));
    double highest = -INFINITY, sum = 0;
    for (int64_t key = 0; key < shape.seq; ++key) {
      double score = 0;
      for (int64_t i = 0; i < shape.head_dim; ++i)
        score += double{q[At(h, i, query)]} * k[At(kv, i, key)];
      score *= shape.scale;
      if (shape.mask != nullptr) score += shape.mask[query * shape.seq + key];
      if (shape.causal && key > query) score = -INFINITY;
      p[static_cast<size_t>(key)] = score;
      highest = std::max(highest, score);
    }
    for (double& value : p) sum += value = std::exp(value - highest);
    for (double& value : p) value /= sum;
    return p;
  }

  void Run(const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v,
           const std::vector<float>& dout) {
    out.assign(q.size(), 0);
    dq.assign(q.size(), 0);
    dk.assign(k.size(), 0);
    dv.assign(k.size(), 0);
    for (int64_t h = 0; h < shape.heads; ++h) {
      const int64_t kv = h / (shape.heads / shape.kv_heads);
      for (int64_t query = 0; query < shape.seq; ++query) {
        const std::vector<double> p = Row(q, k, h, query);
        std::vector<double> dp(p.size());
        double dot = 0;
        for (int64_t key = 0; key < shape.seq; ++key) {
          const double weight = p[static_cast<size_t>(key)];
          for (int64_t i = 0; i < shape.head_dim; ++i) {
            out[At(h, i, query)] += weight * v[At(kv, i, key)];
            dv[At(kv, i, key)] += weight * dout[At(h, i, query)];
            dp[static_cast<size_t>(key)] += double{dout[At(h, i, query)]} * v[At(kv, i, key)];
          }
          dot += weight * dp[static_cast<size_t>(key)];
        }
        for (int64_t key = 0; key < shape.seq; ++key) {
          const auto at = static_cast<size_t>(key);
          const double ds = p[at] * (dp[at] - dot) * shape.scale;
          for (int64_t i = 0; i < shape.head_dim; ++i) {
            dq[At(h, i, query)] += ds * k[At(kv, i, key)];
            dk[At(kv, i, key)] += ds * q[At(h, i, query)];
          }
        }
      }
    }
  }

  AttentionShape shape;
  std::vector<double> out, dq, dk, dv;
};

struct AttentionCase {
  int64_t heads, kv_heads, head_dim, seq;
  bool causal, mask;
};

class Attention : public ::testing::TestWithParam<AttentionCase> {};

std::string NameOf(const ::testing::TestParamInfo<AttentionCase>& info) {
  const AttentionCase& c = info.param;
  const auto number = [](int64_t value) { return std::to_string(value); };
  return "heads" + number(c.heads) + "_kv" + number(c.kv_heads) + "_dim" + number(c.head_dim) +
         "_seq" + number(c.seq) + (c.causal ? "_causal" : "") + (c.mask ? "_mask" : "");
}

std::vector<float> Random(int64_t count, uint64_t stream) {
  const Rng rng(1, stream);
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(rng.Normal(i));
  return values;
}

TEST_P(Attention, EqualsTheDefinition) {
  const AttentionCase& c = GetParam();
  AttentionShape shape{c.heads, c.kv_heads, c.head_dim, c.seq, 0.7, c.causal, nullptr};
  std::vector<float> mask = Random(c.seq * c.seq, 9);
  if (c.mask) shape.mask = mask.data();
  const int64_t q_count = c.heads * c.head_dim * c.seq, kv_count = c.kv_heads * c.head_dim * c.seq;
  const auto q = Random(q_count, 1), k = Random(kv_count, 2), v = Random(kv_count, 3),
             dout = Random(q_count, 4);
  Reference reference(shape);
  reference.Run(q, k, v, dout);

  const int64_t head = c.head_dim * c.seq;
  OnEachTarget([&] {
    std::vector<float> out(q.size()), dq(q.size()), dk(k.size()), dv(k.size());
    AlignedBuffer<float> scratch(static_cast<size_t>(
        std::max(AttentionForwardScratch(shape), AttentionBackwardScratch(shape))));
    AttentionForward(shape, {q.data(), head, c.seq}, {k.data(), head, c.seq},
                     {v.data(), head, c.seq}, {out.data(), head, c.seq}, scratch.data());
    AttentionBackward(shape, {q.data(), head, c.seq}, {k.data(), head, c.seq},
                      {v.data(), head, c.seq}, {dout.data(), head, c.seq}, {dq.data(), head, c.seq},
                      {dk.data(), head, c.seq}, {dv.data(), head, c.seq}, scratch.data());
    // Sums over channels and keys, with exponentials of scores that are themselves such sums.
    const double tolerance = 8 * Gamma(DType::kFp32, c.head_dim + c.seq);
    EXPECT_LE((NormError<float, double>(out, reference.out)), tolerance);
    EXPECT_LE((NormError<float, double>(dv, reference.dv)), tolerance);
    EXPECT_LE((NormError<float, double>(dq, reference.dq)), tolerance);
    EXPECT_LE((NormError<float, double>(dk, reference.dk)), tolerance);
  });
}

// Three sequences side by side in the columns, as activations have them: each comes out as alone.
TEST_P(Attention, SequencesOfABatchDoNotSeeEachOther) {
  const AttentionCase& c = GetParam();
  constexpr int64_t kBatch = 3;
  AttentionShape one{c.heads, c.kv_heads, c.head_dim, c.seq, 0.7, c.causal, nullptr};
  const std::vector<float> mask = Random(c.seq * c.seq, 9);
  if (c.mask) one.mask = mask.data();
  AttentionShape all = one;
  all.batch = kBatch;
  const int64_t columns = kBatch * c.seq;
  const int64_t q_rows = c.heads * c.head_dim, kv_rows = c.kv_heads * c.head_dim;
  const auto q = Random(q_rows * columns, 1), k = Random(kv_rows * columns, 2),
             v = Random(kv_rows * columns, 3), dout = Random(q_rows * columns, 4);
  std::vector<float> out(q.size()), dq(q.size()), dk(k.size()), dv(k.size());
  std::vector<float> out_1(q.size()), dq_1(q.size()), dk_1(k.size()), dv_1(k.size());
  AlignedBuffer<float> scratch(
      static_cast<size_t>(std::max(AttentionForwardScratch(all), AttentionBackwardScratch(all))));
  const auto of = [&](auto& values, int64_t sequence, int64_t batch_stride) {
    using Element = std::remove_pointer_t<decltype(values.data())>;
    return Heads<Element>{values.data() + sequence * c.seq, c.head_dim * columns, columns,
                          batch_stride};
  };
  const auto run = [&](const AttentionShape& shape, int64_t n, auto& o, auto& a, auto& b, auto& d) {
    const int64_t stride = shape.batch > 1 ? c.seq : 0;
    AttentionForward(shape, of(q, n, stride), of(k, n, stride), of(v, n, stride), of(o, n, stride),
                     scratch.data());
    AttentionBackward(shape, of(q, n, stride), of(k, n, stride), of(v, n, stride),
                      of(dout, n, stride), of(a, n, stride), of(b, n, stride), of(d, n, stride),
                      scratch.data());
  };
  run(all, 0, out, dq, dk, dv);
  for (int64_t n = 0; n < kBatch; ++n) run(one, n, out_1, dq_1, dk_1, dv_1);
  EXPECT_EQ(out, out_1);
  EXPECT_EQ(dq, dq_1);
  EXPECT_EQ(dk, dk_1);
  EXPECT_EQ(dv, dv_1);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Attention,
                         ::testing::Values(AttentionCase{1, 1, 4, 1, true, false},
                                           AttentionCase{2, 2, 6, 7, true, false},
                                           AttentionCase{4, 2, 6, 33, true, false},
                                           AttentionCase{3, 1, 8, 64, false, false},
                                           AttentionCase{2, 2, 16, 65, false, true},
                                           AttentionCase{4, 2, 20, 130, true, true},
                                           AttentionCase{2, 2, 64, 256, true, false},
                                           AttentionCase{6, 3, 13, 100, true, false}),
                         NameOf);

}  // namespace
}  // namespace millwright::math
