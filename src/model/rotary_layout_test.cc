#include "model/rotary_layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "base/rng.h"

namespace millwright::model {
namespace {

ModelConfig TwoHeads() {
  ModelConfig config;
  config.dim = 3;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 6;
  config.qk_norm = true;
  return config;
}

TEST(RotaryLayout, MovesRowsWithinEachHead) {
  const ModelConfig config = TwoHeads();
  const TensorSpec wq{"wq", TensorRole::kWq, 0, {12, 3}};
  std::vector<float> data(36);
  std::iota(data.begin(), data.end(), 0.0f);
  const std::vector<float> before = data;
  ConvertRotary(config, wq, RotaryLayout::kInterleaved, RotaryLayout::kHalfSplit, data);
  const int source[] = {0, 2, 4, 1, 3, 5};
  for (int head = 0; head < 2; ++head) {
    for (int row = 0; row < 6; ++row) {
      for (int column = 0; column < 3; ++column) {
        EXPECT_EQ(data[static_cast<size_t>((head * 6 + row) * 3 + column)],
                  before[static_cast<size_t>((head * 6 + source[row]) * 3 + column)]);
      }
    }
  }
  ConvertRotary(config, wq, RotaryLayout::kHalfSplit, RotaryLayout::kInterleaved, data);
  EXPECT_EQ(data, before);
}

TEST(RotaryLayout, LeavesOtherTensorsAlone) {
  const ModelConfig config = TwoHeads();
  for (const TensorRole role : {TensorRole::kWv, TensorRole::kWo, TensorRole::kAttnNorm}) {
    std::vector<float> data = {1, 2, 3, 4, 5, 6};
    ConvertRotary(config, {"x", role, 0, {6}}, RotaryLayout::kInterleaved, RotaryLayout::kHalfSplit,
                  data);
    EXPECT_EQ(data, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  }
}

// Score of a query and a key head at two positions after QK-norm's weights and rotation, from the
// definitions; the RMS over a head does not depend on the order of its channels.
double Score(const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& wq,
             const std::vector<float>& wk, RotaryLayout layout) {
  const size_t half = q.size() / 2;
  double score = 0;
  for (size_t i = 0; i < half; ++i) {
    const size_t a = layout == RotaryLayout::kInterleaved ? 2 * i : i;
    const size_t b = layout == RotaryLayout::kInterleaved ? 2 * i + 1 : i + half;
    const auto rotate = [&](const std::vector<float>& x, const std::vector<float>& w, double at) {
      const double angle =
          at * std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(half));
      const double xa = double{x[a]} * w[a], xb = double{x[b]} * w[b];
      return std::pair(xa * std::cos(angle) - xb * std::sin(angle),
                       xa * std::sin(angle) + xb * std::cos(angle));
    };
    const auto [qa, qb] = rotate(q, wq, 5);
    const auto [ka, kb] = rotate(k, wk, 2);
    score += qa * ka + qb * kb;
  }
  return score;
}

TEST(RotaryLayout, ConvertedWeightsScoreTheSame) {
  ModelConfig config = TwoHeads();
  config.heads = 1;
  config.head_dim = 8;
  const Rng rng(3, 0);
  std::vector<std::vector<float>> tensors(4, std::vector<float>(8));
  for (size_t i = 0; i < 32; ++i) tensors[i / 8][i % 8] = static_cast<float>(rng.Normal(i));
  const double before =
      Score(tensors[0], tensors[1], tensors[2], tensors[3], RotaryLayout::kInterleaved);
  const TensorRole roles[] = {TensorRole::kWq, TensorRole::kWk, TensorRole::kQNorm,
                              TensorRole::kKNorm};
  for (size_t i = 0; i < 4; ++i) {
    const Shape shape = i < 2 ? Shape{8, 1} : Shape{8};
    ConvertRotary(config, {"x", roles[i], 0, shape}, RotaryLayout::kInterleaved,
                  RotaryLayout::kHalfSplit, tensors[i]);
  }
  const double after =
      Score(tensors[0], tensors[1], tensors[2], tensors[3], RotaryLayout::kHalfSplit);
  EXPECT_DOUBLE_EQ(before, after);
}

}  // namespace
}  // namespace millwright::model
