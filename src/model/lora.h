// LoRA: beside a frozen projection W stands a product of two small trained matrices,
//   y = W x + scale * B (A x),   A [rank, in], B [out, rank], scale = alpha / rank.
// Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/tensors.h"

namespace millwright::model {

struct LoraConfig {
  int64_t rank = 0;  // 0: no adapters
  double alpha = 0;
  std::vector<TensorRole> targets;  // projections, ascending

  bool enabled() const { return rank > 0; }
  double scale() const { return alpha / static_cast<double>(rank); }
  // Whether tensors of this role have an adapter.
  bool Adapts(TensorRole role) const;

  bool operator==(const LoraConfig&) const = default;
};

// Hugging Face's name of a projection: "q_proj"; empty for a tensor that is none.
std::string_view ProjectionName(TensorRole role);

// From "q_proj,v_proj". Bad input: a name that is no projection (the message lists them), a name
// twice, an empty list.
Result<std::vector<TensorRole>> ParseLoraTargets(std::string_view list);
// "q_proj,v_proj".
std::string LoraTargetNames(const LoraConfig& lora);

// Why adapters of `lora` are impossible in `config`, by flag: a rank below 1 or above the smallest
// dimension of an adapted matrix, an alpha that is not a positive number, no targets.
Status Validate(const LoraConfig& lora, const ModelConfig& config);

// A and B of every adapted projection, in the order of TensorTable:
// "model.layers.0.self_attn.q_proj.lora_A.weight". Role and layer are the projection's.
std::vector<TensorSpec> AdapterTable(const ModelConfig& config, const LoraConfig& lora);

// First values: A uniform in +-1/sqrt(in), B zero, so that training starts from the model as it is.
// Source: PEFT's LoraLayer (Kaiming-uniform with a = sqrt(5)).
void InitAdapter(const TensorSpec& spec, uint64_t seed, float* out);
void InitAdapter(const TensorSpec& spec, uint64_t seed, double* out);

// w += scale * b a, summed in double. a: [rank, columns], b: [rows, rank], w: [rows, columns].
void MergeAdapter(int64_t rank, double scale, std::span<const float> a, std::span<const float> b,
                  std::span<float> w);

}  // namespace millwright::model
