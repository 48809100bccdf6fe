#include "model/tensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/rng.h"
#include "base/threads.h"
#include "model/test_models.h"

namespace millwright::model {
namespace {

int64_t CountElements(const ModelConfig& config) {
  int64_t count = 0;
  for (const auto& spec : TensorTable(config)) count += NumElements(spec.shape);
  return count;
}

TEST(Tensors, TheTableHoldsEveryParameterOnce) {
  ModelConfig plain = models::kQwen3_06B;
  plain.qk_norm = false;
  ModelConfig untied = plain;
  untied.tied_embeddings = false;
  EXPECT_EQ(TensorTable(untied).back().name, "lm_head.weight");
  EXPECT_EQ(untied.params(), plain.params() + 151'936 * 1024);
  for (const auto& config :
       {models::kQwen3_06B, plain, untied, models::kStories110M, models::kStoriesNano}) {
    EXPECT_EQ(CountElements(config), config.params()) << config.name.view();
    std::set<std::string> names;
    for (const auto& spec : TensorTable(config)) names.insert(spec.name);
    EXPECT_EQ(names.size(), TensorTable(config).size());
  }
  EXPECT_EQ(CountElements(models::kQwen3_06B), 596'049'920);
  EXPECT_EQ(CountElements(plain), 596'042'752);
  EXPECT_EQ(CountElements(models::kStories110M), 109'529'856);
}

TEST(Tensors, NamesShapesAndDecayAreHuggingFaces) {
  const auto table = TensorTable(models::kQwen3_06B);
  ASSERT_EQ(table.size(), 2u + 28u * 11u);
  EXPECT_EQ(table.front().name, "model.embed_tokens.weight");
  EXPECT_EQ(table.back().name, "model.norm.weight");
  const char* names[] = {
      "input_layernorm",  "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
      "self_attn.q_norm", "self_attn.k_norm", "self_attn.o_proj", "post_attention_layernorm",
      "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};
  const Shape shapes[] = {{1024},       {2048, 1024}, {1024, 1024}, {1024, 1024},
                          {128},        {128},        {1024, 2048}, {1024},
                          {3072, 1024}, {3072, 1024}, {1024, 3072}};
  for (size_t i = 0; i < std::size(names); ++i) {
    const auto& spec = table[1 + 3 * 11 + i];
    EXPECT_EQ(spec.name, fmt::format("model.layers.3.{}.weight", names[i]));
    EXPECT_EQ(spec.layer, 3);
    EXPECT_EQ(spec.shape, shapes[i]) << spec.name;
    EXPECT_EQ(spec.decay, !spec.is_norm()) << spec.name;
    EXPECT_EQ(spec.init_std == 0.0, spec.is_norm()) << spec.name;
  }
}

TEST(Tensors, AnyRowCanBeDrawnByItself) {
  const auto table = TensorTable(models::kStoriesNano);
  const TensorSpec& spec = table[2];  // wq
  const int64_t columns = spec.shape[1];
  std::vector<double> all(static_cast<size_t>(NumElements(spec.shape)));
  std::vector<float> rounded(all.size());
  const int threads = GetThreads();
  SetThreads(2);
  InitRows(spec, 7, 0, spec.shape[0], all.data());
  SetThreads(1);
  InitRows(spec, 7, 0, spec.shape[0], rounded.data());
  SetThreads(threads);
  for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(rounded[i], static_cast<float>(all[i]));
  std::vector<double> rows(static_cast<size_t>(3 * columns));
  InitRows(spec, 7, 5, 8, rows.data());
  EXPECT_TRUE(std::equal(rows.begin(), rows.end(), all.begin() + 5 * columns));
  EXPECT_EQ(all[11], spec.init_std * Rng(7, StreamId(spec.name.c_str())).Normal(11));
  InitRows(spec, 8, 5, 8, rows.data());
  EXPECT_FALSE(std::equal(rows.begin(), rows.end(), all.begin() + 5 * columns));
}

TEST(Tensors, FirstValuesHaveTheStatedSpread) {
  const auto table = TensorTable(models::kStoriesNano);
  for (size_t i = 0; i < 12; ++i) {
    const TensorSpec& spec = table[i];
    const auto count = static_cast<size_t>(NumElements(spec.shape));
    std::vector<float> values(count);
    InitRows(spec, 1, 0, spec.shape[0], values.data());
    double sum = 0, squares = 0;
    for (float x : values) sum += x, squares += double{x} * x;
    const double n = static_cast<double>(count);
    if (spec.is_norm()) {
      EXPECT_EQ(sum, n) << spec.name;
      continue;
    }
    const bool residual = spec.role == TensorRole::kWo || spec.role == TensorRole::kW2;
    const double std_dev = 0.02 * (residual ? 1.0 / std::sqrt(10.0) : 1.0);
    // Standard errors of a mean and of a standard deviation over n normal draws; 5 of them.
    EXPECT_LE(std::fabs(sum / n), 5 * std_dev / std::sqrt(n)) << spec.name;
    EXPECT_LE(std::fabs(std::sqrt(squares / n) - std_dev), 5 * std_dev / std::sqrt(2 * n))
        << spec.name;
  }
}

}  // namespace
}  // namespace millwright::model
