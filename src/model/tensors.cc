#include "model/tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "base/threads.h"

namespace millwright::model {
namespace {

constexpr double kInitStd = 0.02;
constexpr int64_t kInitGrain = 1024;

TensorSpec Matrix(std::string name, TensorRole role, int64_t layer, int64_t out, int64_t in,
                  double std_dev = kInitStd) {
  return {std::move(name), role, layer, {out, in}, std_dev, true};
}

TensorSpec Norm(std::string name, TensorRole role, int64_t layer, int64_t channels) {
  return {std::move(name), role, layer, {channels}, 0.0, false};
}

void AppendLayer(const ModelConfig& c, int64_t layer, std::vector<TensorSpec>* table) {
  const auto name = [layer](const char* part) {
    return fmt::format("model.layers.{}.{}.weight", layer, part);
  };
  const double residual_std = kInitStd / std::sqrt(2.0 * static_cast<double>(c.layers));
  using enum TensorRole;
  table->push_back(Norm(name("input_layernorm"), kAttnNorm, layer, c.dim));
  table->push_back(Matrix(name("self_attn.q_proj"), kWq, layer, c.q_dim(), c.dim));
  table->push_back(Matrix(name("self_attn.k_proj"), kWk, layer, c.kv_dim(), c.dim));
  table->push_back(Matrix(name("self_attn.v_proj"), kWv, layer, c.kv_dim(), c.dim));
  if (c.qk_norm) {
    table->push_back(Norm(name("self_attn.q_norm"), kQNorm, layer, c.head_dim));
    table->push_back(Norm(name("self_attn.k_norm"), kKNorm, layer, c.head_dim));
  }
  table->push_back(Matrix(name("self_attn.o_proj"), kWo, layer, c.dim, c.q_dim(), residual_std));
  table->push_back(Norm(name("post_attention_layernorm"), kFfnNorm, layer, c.dim));
  table->push_back(Matrix(name("mlp.gate_proj"), kW1, layer, c.hidden_dim, c.dim));
  table->push_back(Matrix(name("mlp.up_proj"), kW3, layer, c.hidden_dim, c.dim));
  table->push_back(Matrix(name("mlp.down_proj"), kW2, layer, c.dim, c.hidden_dim, residual_std));
}

template <class T>
void Init(const TensorSpec& spec, uint64_t seed, int64_t row_begin, int64_t row_end, T* out) {
  const int64_t columns = spec.is_norm() ? 1 : spec.shape[1];
  if (spec.is_norm()) {
    row_begin = 0;
    row_end = spec.shape[0];
  }
  const int64_t first = row_begin * columns;
  const int64_t count = (row_end - row_begin) * columns;
  if (spec.init_std == 0.0) {
    std::fill_n(out, count, T{1});
    return;
  }
  const Rng rng(seed, StreamId(spec.name.c_str()));
  ParallelFor(count, kInitGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      out[i] = static_cast<T>(spec.init_std * rng.Normal(static_cast<uint64_t>(first + i)));
    }
  });
}

}  // namespace

std::vector<TensorSpec> TensorTable(const ModelConfig& config) {
  std::vector<TensorSpec> table;
  table.push_back(
      Matrix("model.embed_tokens.weight", TensorRole::kEmbedding, -1, config.vocab, config.dim));
  for (int64_t layer = 0; layer < config.layers; ++layer) AppendLayer(config, layer, &table);
  table.push_back(Norm("model.norm.weight", TensorRole::kFinalNorm, -1, config.dim));
  if (!config.tied_embeddings) {
    table.push_back(Matrix("lm_head.weight", TensorRole::kLmHead, -1, config.vocab, config.dim));
  }
  return table;
}

void InitRows(const TensorSpec& spec, uint64_t seed, int64_t row_begin, int64_t row_end,
              float* out) {
  Init(spec, seed, row_begin, row_end, out);
}

void InitRows(const TensorSpec& spec, uint64_t seed, int64_t row_begin, int64_t row_end,
              double* out) {
  Init(spec, seed, row_begin, row_end, out);
}

}  // namespace millwright::model
