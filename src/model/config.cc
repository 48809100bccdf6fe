#include "model/config.h"

#include <cmath>

namespace millwright::model {
namespace {

// Widths of activations, and layers: with these, params() stays below 2^56.
constexpr int64_t kMaxWidth = int64_t{1} << 20;
constexpr int64_t kMaxLayers = int64_t{1} << 12;
constexpr int64_t kMaxIndex = (int64_t{1} << 31) - 1;  // token ids and positions are int32

Status InRange(const char* field, int64_t value, int64_t max) {
  if (value >= 1 && value <= max) return {};
  return BadInput("{}: expected a number from 1 to {}, found {}", field, max, value);
}

Status Positive(const char* field, double value) {
  if (std::isfinite(value) && value > 0) return {};
  return BadInput("{}: expected a positive number, found {}", field, value);
}

Status CheckRanges(const ModelConfig& config) {
  const struct {
    const char* field;
    int64_t value, max;
  } fields[] = {
      {"dim", config.dim, kMaxWidth},           {"hidden_dim", config.hidden_dim, kMaxWidth},
      {"layers", config.layers, kMaxLayers},    {"heads", config.heads, kMaxWidth},
      {"kv_heads", config.kv_heads, kMaxWidth}, {"head_dim", config.head_dim, kMaxWidth},
      {"seq", config.seq, kMaxIndex},           {"vocab", config.vocab, kMaxIndex},
  };
  for (const auto& [field, value, max] : fields) {
    if (auto status = InRange(field, value, max); !status) return status;
  }
  if (auto status = Positive("rope_theta", config.rope_theta); !status) return status;
  return Positive("rms_norm_eps", config.rms_norm_eps);
}

}  // namespace

Status Validate(const ModelConfig& config) {
  if (auto status = CheckRanges(config); !status) return status;
  if (config.heads % config.kv_heads != 0) {
    return BadInput("kv_heads: must divide heads ({}), found {}", config.heads, config.kv_heads);
  }
  if (config.head_dim % 2 != 0) {
    return BadInput("head_dim: must be even for rotary embedding, found {}", config.head_dim);
  }
  if (config.q_dim() > kMaxWidth) {
    return BadInput("heads: heads * head_dim must be at most {}, found {} * {}", kMaxWidth,
                    config.heads, config.head_dim);
  }
  return {};
}

}  // namespace millwright::model
