#include "checkpoint/llama2c.h"

#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "checkpoint/llama2c_layout.h"

namespace millwright::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "llama2.c files are read as they lie");

using model::ModelConfig;

// The header of either version.
struct Header {
  int32_t version = 0;
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

Result<Header> ReadHeader(std::span<const std::byte> bytes) {
  const bool magic = HasMagic(bytes);
  const uint64_t least = magic ? kLlama2cHeaderBytes : kLlama2cLegacyHeaderBytes;
  if (bytes.size() < least) {
    return BadInput("{} bytes are too few for the header of {}", bytes.size(), least);
  }
  Header header;
  if (!magic) {
    header.sizes = Load<std::array<int32_t, 7>>(bytes, 0);
    header.shared = header.sizes[5] >= 0;
    return header;
  }
  constexpr size_t kVersion = 4, kSizes = 8, kShared = 36;
  header.version = Load<int32_t>(bytes, kVersion);
  if (header.version == 2) return BadInput("version 2 (Q8_0) is written, not read");
  if (header.version != 1) return BadInput("version 1 expected, found {}", header.version);
  header.sizes = Load<std::array<int32_t, 7>>(bytes, kSizes);
  const auto shared = Load<uint8_t>(bytes, kShared);
  if (shared > 1) return BadInput("shared_classifier: expected 0 or 1, found {}", shared);
  header.shared = shared == 1;
  return header;
}

Result<ModelConfig> ConfigOf(const Header& header) {
  const auto [dim, hidden_dim, layers, heads, kv_heads, vocab, seq] = header.sizes;
  ModelConfig config;
  config.dim = dim;
  config.hidden_dim = hidden_dim;
  config.layers = layers;
  config.heads = heads;
  config.kv_heads = kv_heads;
  config.vocab = header.version == 0 ? std::abs(int64_t{vocab}) : vocab;
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
  return config;
}

}  // namespace

bool LooksLikeLlama2c(std::span<const std::byte> bytes) {
  if (HasMagic(bytes)) return true;
  const auto header = ReadHeader(bytes);
  if (!header) return false;
  const auto config = ConfigOf(*header);
  if (!config) return false;
  // Files that were cut or have grown a little still count.
  const uint64_t expected = Llama2cBytes(*config, 0);
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
  const uint64_t expected = Llama2cBytes(*config, header->version);
  if (bytes.size() != expected) {
    return BadInput("{}: {} bytes expected for the sizes in its header, {} found", where, expected,
                    bytes.size());
  }
  config->name = config->title = std::filesystem::path(path).stem().string();
  Llama2cFile out;
  out.path_ = path;
  out.file_ = std::move(*file);
  out.version_ = header->version;
  out.config_ = *config;
  for (const auto& [spec, offset] : Llama2cPieces(*config, header->version)) {
    out.offsets_[spec.name] = offset;
  }
  return out;
}

Status Llama2cFile::Read(const model::TensorSpec& spec, std::span<float> out) const {
  const auto found = offsets_.find(spec.name);
  if (found == offsets_.end() || NumElements(spec.shape) != static_cast<int64_t>(out.size())) {
    return BadInput("{}: no tensor '{}' of shape {}", path_, spec.name, ShapeToString(spec.shape));
  }
  const auto bytes = file_->bytes().subspan(found->second);
  if (bytes.size() < out.size_bytes()) return BadInput("{}: '{}' is cut off", path_, spec.name);
  std::memcpy(out.data(), bytes.data(), out.size_bytes());
  return {};
}

}  // namespace millwright::checkpoint
