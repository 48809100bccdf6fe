// Hugging Face's config.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "model/config.h"

namespace millwright::model {

// Special tokens, where known.
struct TokenIds {
  std::optional<int64_t> bos, eos;
  std::vector<int64_t> more_eos;  // tokens besides eos that end a text too
  bool operator==(const TokenIds&) const = default;
};

struct HfConfig {
  ModelConfig config;
  TokenIds tokens;
};

// The text of config.json for `config` (always half-split: export permutes the weights):
// LlamaForCausalLM, or Qwen3ForCausalLM with qk_norm. `dtype` is that of the weights.
std::string ToHfConfig(const ModelConfig& config, DType dtype, const TokenIds& tokens);

// The text of a minimal generation_config.json.
std::string ToHfGenerationConfig(const TokenIds& tokens);

// Adds to `tokens` the end tokens that a generation_config.json names: one or a list.
Status AddGenerationTokens(std::string_view text, const std::string& where, TokenIds* tokens);

// Reads config.json. `where` names the file in errors; `name` becomes the config's name and title.
// Fields that may be absent take the defaults of transformers' LlamaConfig and Qwen3Config. Bad
// input, by field: other architectures, biases, activations, rotary scaling, sliding windows;
// quantized weights, impossible sizes.
Result<HfConfig> ParseHfConfig(std::string_view text, const std::string& where,
                               std::string_view name);

}  // namespace millwright::model
