#include "checkpoint/llama2c_layout.h"

#include <array>
#include <span>

namespace millwright::checkpoint {
namespace {

using model::ModelConfig;
using model::TensorRole;
using model::TensorSpec;
using enum model::TensorRole;

constexpr std::array kLegacyOrder = {kEmbedding, kAttnNorm, kWq, kWk, kWv,       kWo,
                                     kFfnNorm,   kW1,       kW2, kW3, kFinalNorm};
constexpr std::array kOrder = {kAttnNorm, kFfnNorm, kFinalNorm, kEmbedding, kWq, kWk,
                               kWv,       kWo,      kW1,        kW2,        kW3};

}  // namespace

std::vector<Llama2cPiece> Llama2cPieces(const ModelConfig& config, int version) {
  const std::vector<TensorSpec> table = model::TensorTable(config);
  const std::span<const TensorRole> order = version == 0 ? kLegacyOrder : kOrder;
  uint64_t offset = version == 0 ? kLlama2cLegacyHeaderBytes : kLlama2cHeaderBytes;
  std::vector<Llama2cPiece> pieces;
  for (const TensorRole role : order) {
    for (const TensorSpec& spec : table) {
      if (spec.role != role) continue;
      pieces.push_back({spec, offset});
      offset += static_cast<uint64_t>(NumElements(spec.shape)) * sizeof(float);
    }
  }
  return pieces;
}

uint64_t Llama2cTableElements(const ModelConfig& config) {
  return static_cast<uint64_t>(config.seq) * static_cast<uint64_t>(config.head_dim);
}

uint64_t Llama2cBytes(const ModelConfig& config, int version) {
  const auto params = static_cast<uint64_t>(config.params());
  if (version != 0) return kLlama2cHeaderBytes + params * sizeof(float);
  return kLlama2cLegacyHeaderBytes + (params + Llama2cTableElements(config)) * sizeof(float);
}

}  // namespace millwright::checkpoint
