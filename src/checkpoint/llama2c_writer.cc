#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/threads.h"
#include "checkpoint/llama2c.h"
#include "checkpoint/whole_file.h"
#include "model/rotary_layout.h"

namespace millwright::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "llama2.c files are written as they lie");

using model::ModelConfig;
using model::RotaryLayout;

Status CheckFitsLlama2c(const ModelConfig& config) {
  if (auto status = model::Validate(config); !status) return status;
  if (config.qk_norm) return BadInput("qk_norm: llama2.c has no QK-norm weights");
  if (config.q_dim() != config.dim) {
    return BadInput("head_dim: llama2.c takes dim / heads = {} / {}, found {}", config.dim,
                    config.heads, config.head_dim);
  }
  if (config.rope_theta != kLlama2cTheta) {
    return BadInput("rope_theta: llama2.c computes with {}, found {}", kLlama2cTheta,
                    config.rope_theta);
  }
  if (config.rms_norm_eps != kLlama2cEps) {
    return BadInput("rms_norm_eps: llama2.c computes with {}, found {}", kLlama2cEps,
                    config.rms_norm_eps);
  }
  return {};
}

template <class T>
void Append(std::string* bytes, T value) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string HeaderBytes(const ModelConfig& c, const Llama2cFormat& format) {
  const bool legacy = format.version == 0;
  std::string bytes;
  if (!legacy) {
    Append(&bytes, kLlama2cMagic);
    Append(&bytes, static_cast<int32_t>(format.version));
  }
  const int64_t vocab = legacy && !c.tied_embeddings ? -c.vocab : c.vocab;
  for (const int64_t size : {c.dim, c.hidden_dim, c.layers, c.heads, c.kv_heads, vocab, c.seq}) {
    Append(&bytes, static_cast<int32_t>(size));
  }
  if (legacy) return bytes;
  Append(&bytes, static_cast<uint8_t>(c.tied_embeddings));
  if (format.version == 2) Append(&bytes, static_cast<int32_t>(format.group_size));
  bytes.resize(kLlama2cHeaderBytes);
  return bytes;
}

// Cosines, then sines, of position * theta^(-2i/head_dim): [seq, head_dim/2] each.
Status WriteRotaryTables(const ModelConfig& config, FileWriter& file) {
  std::vector<float> row(static_cast<size_t>(config.head_dim / 2));
  for (const bool cosines : {true, false}) {
    for (int64_t position = 0; position < config.seq; ++position) {
      for (size_t i = 0; i < row.size(); ++i) {
        const double exponent =
            -2.0 * static_cast<double>(i) / static_cast<double>(config.head_dim);
        const double angle = static_cast<double>(position) * std::pow(config.rope_theta, exponent);
        row[i] = static_cast<float>(cosines ? std::cos(angle) : std::sin(angle));
      }
      if (auto status = file.Write(std::as_bytes(std::span(row))); !status) return status;
    }
  }
  return {};
}

// Q8_0: a group's scale is its largest magnitude over 127; elements are rounded to nearest even.
Status WriteQuantized(std::span<const float> tensor, int64_t group_size, FileWriter& file) {
  constexpr float kLargest = std::numeric_limits<int8_t>::max();
  const auto group = static_cast<size_t>(group_size);
  std::vector<int8_t> integers(tensor.size());
  std::vector<float> scales(tensor.size() / group);
  constexpr int64_t kGrain = 256;
  ParallelFor(static_cast<int64_t>(scales.size()), kGrain, [&](int64_t begin, int64_t end) {
    for (auto g = static_cast<size_t>(begin); g < static_cast<size_t>(end); ++g) {
      const auto values = tensor.subspan(g * group, group);
      float largest = 0;
      for (const float value : values) largest = std::max(largest, std::fabs(value));
      scales[g] = largest / kLargest;
      // Scales below the smallest normal number would lose the group's digits.
      if (scales[g] < std::numeric_limits<float>::min()) scales[g] = 0;
      for (size_t i = 0; i < group; ++i) {
        const float scaled = scales[g] > 0 ? std::nearbyint(values[i] / scales[g]) : 0.0f;
        integers[g * group + i] = static_cast<int8_t>(std::clamp(scaled, -kLargest, kLargest));
      }
    }
  });
  if (auto status = file.Write(std::as_bytes(std::span(integers))); !status) return status;
  return file.Write(std::as_bytes(std::span(scales)));
}

Status WriteBody(const ModelConfig& config, const Llama2cFormat& format,
                 const Llama2cLayout& layout, const TensorSource& source, FileWriter& file) {
  std::vector<float> tensor;
  for (const auto& [spec, offset] : layout.pieces) {
    tensor.resize(static_cast<size_t>(NumElements(spec.shape)));
    if (auto status = source(spec, tensor); !status) return status;
    model::ConvertRotary(config, spec, config.rotary, RotaryLayout::kInterleaved, tensor);
    Status written = format.Quantizes(spec) ? WriteQuantized(tensor, format.group_size, file)
                                            : file.Write(std::as_bytes(std::span(tensor)));
    if (!written) return written;
    if (format.version != 0 || spec.role != model::TensorRole::kFinalNorm) continue;
    if (auto status = WriteRotaryTables(config, file); !status) return status;
  }
  return {};
}

}  // namespace

Llama2cFormat Llama2cFormatFor(const ModelConfig& config, int version) {
  constexpr int64_t kLargestGroup = 64;
  if (version != 2) return {.version = version};
  const int64_t rows = std::gcd(config.dim, config.hidden_dim);
  return {.version = version, .group_size = std::gcd(rows, kLargestGroup)};
}

Status WriteLlama2c(const std::string& path, const ModelConfig& config, int version,
                    const TensorSource& source) {
  if (auto status = CheckFitsLlama2c(config); !status) return status.error().In(path);
  const Llama2cFormat format = Llama2cFormatFor(config, version);
  const Llama2cLayout layout = LayOutLlama2c(config, format);
  return WriteWholeFile(path, layout.bytes, [&](FileWriter& file) -> Status {
    const std::string header = HeaderBytes(config, format);
    if (auto status = file.Write(std::as_bytes(std::span(header))); !status) return status;
    return WriteBody(config, format, layout, source, file);
  });
}

}  // namespace millwright::checkpoint
