#include "checkpoint/llama2c_layout.h"

#include <array>
#include <span>

namespace millwright::checkpoint {
namespace {

using model::ModelConfig;
using model::TensorRole;
using model::TensorSpec;
using enum model::TensorRole;

constexpr std::array kLegacyOrder = {kEmbedding, kAttnNorm, kWq, kWk, kWv,        kWo,
                                     kFfnNorm,   kW1,       kW2, kW3, kFinalNorm, kLmHead};
constexpr std::array kOrder = {kAttnNorm, kFfnNorm, kFinalNorm, kEmbedding, kWq, kWk,
                               kWv,       kWo,      kW1,        kW2,        kW3, kLmHead};

uint64_t BytesOf(const TensorSpec& spec, const Llama2cFormat& format) {
  const auto elements = static_cast<uint64_t>(NumElements(spec.shape));
  if (!format.Quantizes(spec)) return elements * sizeof(float);
  return elements + elements / static_cast<uint64_t>(format.group_size) * sizeof(float);
}

}  // namespace

Llama2cLayout LayOutLlama2c(const ModelConfig& config, const Llama2cFormat& format) {
  const std::vector<TensorSpec> table = model::TensorTable(config);
  const std::span<const TensorRole> order = format.version == 0 ? kLegacyOrder : kOrder;
  Llama2cLayout layout;
  layout.bytes = format.version == 0 ? kLlama2cLegacyHeaderBytes : kLlama2cHeaderBytes;
  for (const TensorRole role : order) {
    for (const TensorSpec& spec : table) {
      if (spec.role != role) continue;
      layout.pieces.push_back({spec, layout.bytes});
      layout.bytes += BytesOf(spec, format);
    }
    if (format.version == 0 && role == kFinalNorm) {
      layout.bytes += Llama2cTableElements(config) * sizeof(float);
    }
  }
  return layout;
}

uint64_t Llama2cTableElements(const ModelConfig& config) {
  return static_cast<uint64_t>(config.seq) * static_cast<uint64_t>(config.head_dim);
}

}  // namespace millwright::checkpoint
