#include "checkpoint/llama2c.h"

#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "checkpoint/finite.h"
#include "checkpoint/llama2c_layout.h"

namespace millwright::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "llama2.c files are read as they lie");

using model::ModelConfig;

struct Llama2cHeader {
  Llama2cFormat format;
  std::array<int32_t, 7> sizes = {};  // dim, hidden_dim, layers, heads, kv_heads, vocab, seq
  bool shared = true;                 // the classifier is the embedding
};

template <class T>
T Load(std::span<const std::byte> bytes, size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

bool HasMagic(std::span<const std::byte> bytes) {
  return bytes.size() >= sizeof(uint32_t) && Load<uint32_t>(bytes, 0) == kLlama2cMagic;
}

Result<Llama2cHeader> ReadHeader(std::span<const std::byte> bytes) {
  const bool magic = HasMagic(bytes);
  const uint64_t least = magic ? kLlama2cHeaderBytes : kLlama2cLegacyHeaderBytes;
  if (bytes.size() < least) {
    return BadInput("{} bytes are too few for the header of {}", bytes.size(), least);
  }
  Llama2cHeader header;
  if (!magic) {
    header.sizes = Load<std::array<int32_t, 7>>(bytes, 0);
    header.shared = header.sizes[5] >= 0;
    return header;
  }
  constexpr size_t kVersion = 4, kSizes = 8, kShared = 36, kGroup = 37;
  header.format.version = Load<int32_t>(bytes, kVersion);
  if (header.format.version != 1 && header.format.version != 2) {
    return BadInput("version 1 or 2 expected, found {}", header.format.version);
  }
  header.sizes = Load<std::array<int32_t, 7>>(bytes, kSizes);
  const auto shared = Load<uint8_t>(bytes, kShared);
  if (shared > 1) return BadInput("shared_classifier: expected 0 or 1, found {}", shared);
  header.shared = shared == 1;
  if (header.format.version == 2) header.format.group_size = Load<int32_t>(bytes, kGroup);
  return header;
}

Result<ModelConfig> ConfigOf(const Llama2cHeader& header) {
  const auto [dim, hidden_dim, layers, heads, kv_heads, vocab, seq] = header.sizes;
  ModelConfig config;
  config.dim = dim;
  config.hidden_dim = hidden_dim;
  config.layers = layers;
  config.heads = heads;
  config.kv_heads = kv_heads;
  config.vocab = header.format.version == 0 ? std::abs(int64_t{vocab}) : vocab;
  config.seq = seq;
  config.rope_theta = kLlama2cTheta;
  config.rms_norm_eps = kLlama2cEps;
  config.rotary = model::RotaryLayout::kInterleaved;
  config.tied_embeddings = header.shared;
  if (heads > 0 && dim % heads != 0) {
    return BadInput("dim: must be a multiple of heads ({}), found {}", heads, dim);
  }
  config.head_dim = heads > 0 ? dim / heads : 1;
  if (auto status = model::Validate(config); !status) return status.error();
  const int64_t group = header.format.group_size;
  if (header.format.version == 2 && (group < 1 || config.dim % group != 0)) {
    return BadInput("group_size: must divide dim ({}), found {}", config.dim, group);
  }
  return config;
}

// `bytes` begin with the integers, which the scales follow.
void Dequantize(std::span<const std::byte> bytes, int64_t group_size, std::span<float> out) {
  const auto group = static_cast<size_t>(group_size);
  const auto scales = bytes.subspan(out.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const auto scale = Load<float>(scales, i / group * sizeof(float));
    out[i] = scale * static_cast<float>(static_cast<int8_t>(bytes[i]));
  }
}

}  // namespace

bool LooksLikeLlama2c(std::span<const std::byte> bytes) {
  if (HasMagic(bytes)) return true;
  const auto header = ReadHeader(bytes);
  if (!header) return false;
  const auto config = ConfigOf(*header);
  if (!config) return false;
  // Files that were cut or have grown a little still count.
  const uint64_t expected = LayOutLlama2c(*config, header->format).bytes;
  return bytes.size() >= expected / 2 && bytes.size() / 2 <= expected;
}

Result<Llama2cFile> Llama2cFile::Open(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  const std::string where = fmt::format("{}: not a llama2.c model", path);
  const auto header = ReadHeader(bytes);
  if (!header) return header.error().In(where);
  auto config = ConfigOf(*header);
  if (!config) return config.error().In(where);
  const Llama2cLayout layout = LayOutLlama2c(*config, header->format);
  if (bytes.size() != layout.bytes) {
    return BadInput("{}: {} bytes expected for the sizes in its header, {} found", where,
                    layout.bytes, bytes.size());
  }
  config->name = config->title = std::filesystem::path(path).stem().string();
  Llama2cFile out;
  out.path_ = path;
  out.file_ = std::move(*file);
  out.format_ = header->format;
  out.config_ = *config;
  for (const auto& [spec, offset] : layout.pieces) out.offsets_[spec.name] = offset;
  return out;
}

Status Llama2cFile::Read(const model::TensorSpec& spec, std::span<float> out) const {
  const auto found = offsets_.find(spec.name);
  if (found == offsets_.end() || NumElements(spec.shape) != static_cast<int64_t>(out.size())) {
    return BadInput("{}: no tensor '{}' of shape {}", path_, spec.name, ShapeToString(spec.shape));
  }
  const auto bytes = file_->bytes().subspan(found->second);
  if (format_.Quantizes(spec)) {
    Dequantize(bytes, format_.group_size, out);
  } else {
    std::memcpy(out.data(), bytes.data(), out.size_bytes());
  }
  if (auto status = CheckFinite(spec.name, out); !status) return status.error().In(path_);
  return {};
}

}  // namespace millwright::checkpoint
