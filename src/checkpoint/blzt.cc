#include "checkpoint/blzt.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "checkpoint/finite.h"
#include "checkpoint/whole_file.h"
#include "model/rotary_layout.h"

namespace millwright::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "BLZT is read and written as it lies");

using model::ModelConfig;
using model::RotaryLayout;
using model::TensorRole;
using model::TensorSpec;

constexpr int32_t kMagic = 0x424C5A54;
constexpr int32_t kWrittenVersion = 4;
constexpr double kTheta = 10000.0;
constexpr double kEps = 1e-5;

// The header as the reference's C compiler lays it out.
struct BlztHeader {
  int32_t magic, version, step, total_steps;
  int32_t layers, vocab, dim, hidden_dim, heads, seq;
  float lr, loss;
  double compile_ms, train_ms, wall_ms;
  int32_t steps, batches, adam_t;
  int32_t kv_heads, head_dim, q_dim;
};
static_assert(sizeof(BlztHeader) == 96);

// The order of a layer's tensors in the file.
constexpr std::array kLayerOrder = {TensorRole::kWq, TensorRole::kWk,       TensorRole::kWv,
                                    TensorRole::kWo, TensorRole::kW1,       TensorRole::kW2,
                                    TensorRole::kW3, TensorRole::kAttnNorm, TensorRole::kFfnNorm};

int64_t Elements(const ModelConfig& c, TensorRole role) {
  switch (role) {
    case TensorRole::kEmbedding:
    case TensorRole::kLmHead:
      return c.vocab * c.dim;
    case TensorRole::kWq:
    case TensorRole::kWo:
      return c.q_dim() * c.dim;
    case TensorRole::kWk:
    case TensorRole::kWv:
      return c.kv_dim() * c.dim;
    case TensorRole::kW1:
    case TensorRole::kW2:
    case TensorRole::kW3:
      return c.hidden_dim * c.dim;
    case TensorRole::kAttnNorm:
    case TensorRole::kFfnNorm:
    case TensorRole::kFinalNorm:
      return c.dim;
    case TensorRole::kQNorm:
    case TensorRole::kKNorm:
      break;
  }
  return 0;
}

// The byte at which a tensor or moment begins.
int64_t Offset(const ModelConfig& config, const TensorSpec& spec, BlztPart part) {
  const int64_t layer_params = config.layer_params();
  const auto moment = static_cast<int64_t>(part);  // 0, 1, 2
  const int64_t elements = Elements(config, spec.role);
  int64_t floats = 3 * layer_params * config.layers;
  if (spec.role == TensorRole::kFinalNorm) {
    floats += moment * elements;
  } else if (spec.role == TensorRole::kEmbedding) {
    floats += 3 * config.dim + moment * elements;
  } else {
    int64_t before = 0;
    for (size_t i = 0; kLayerOrder[i] != spec.role; ++i) before += Elements(config, kLayerOrder[i]);
    floats = 3 * layer_params * spec.layer;
    floats +=
        part == BlztPart::kWeight ? before : layer_params + 2 * before + (moment - 1) * elements;
  }
  return static_cast<int64_t>(sizeof(BlztHeader)) + floats * static_cast<int64_t>(sizeof(float));
}

// All tensors and moments in the order of the file.
struct Piece {
  TensorSpec spec;
  BlztPart part;
};
std::vector<Piece> FileOrder(const ModelConfig& config) {
  using enum BlztPart;
  const auto table = model::TensorTable(config);
  std::vector<Piece> pieces;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    std::vector<TensorSpec> ordered;
    for (const TensorRole role : kLayerOrder) {
      for (const auto& spec : table) {
        if (spec.layer == layer && spec.role == role) ordered.push_back(spec);
      }
    }
    for (const auto& spec : ordered) pieces.push_back({spec, kWeight});
    for (const auto& spec : ordered) {
      pieces.push_back({spec, kM});
      pieces.push_back({spec, kV});
    }
  }
  for (const auto& spec : {table.back(), table.front()}) {
    for (const BlztPart part : {kWeight, kM, kV}) pieces.push_back({spec, part});
  }
  return pieces;
}

double ReferenceAlpha(const ModelConfig& config) {
  return 1.0 / std::sqrt(2.0 * static_cast<double>(config.layers));
}

// What to multiply by, going from our scale to the file's; s as at the head of blzt.h.
double ToFileFactor(TensorRole role, BlztPart part, double s) {
  if (role != TensorRole::kWo && role != TensorRole::kW2) return 1.0;
  if (part == BlztPart::kWeight) return 1.0 / s;
  return part == BlztPart::kM ? s : s * s;
}

void Scale(double factor, std::span<float> data) {
  if (factor == 1.0) return;
  for (float& x : data) x = static_cast<float>(x * factor);
}

Status CheckFitsBlzt(const ModelConfig& config) {
  if (auto status = model::Validate(config); !status) return status;
  if (config.qk_norm) return BadInput("qk_norm: BLZT has no QK-norm weights");
  if (!config.tied_embeddings) {
    return BadInput("tied_embeddings: BLZT has no classifier apart from the embedding");
  }
  if (config.rope_theta != kTheta) {
    return BadInput("rope_theta: BLZT's reader computes with {}, found {}", kTheta,
                    config.rope_theta);
  }
  if (config.rms_norm_eps != kEps) {
    return BadInput("rms_norm_eps: BLZT's reader computes with {}, found {}", kEps,
                    config.rms_norm_eps);
  }
  return {};
}

BlztHeader MakeBlztHeader(const ModelConfig& c, const BlztProgress& p) {
  const auto i32 = [](int64_t value) { return static_cast<int32_t>(value); };
  return {
      kMagic,          kWrittenVersion,   p.step,        p.total_steps, i32(c.layers), i32(c.vocab),
      i32(c.dim),      i32(c.hidden_dim), i32(c.heads),  i32(c.seq),    p.lr,          p.loss,
      p.compile_ms,    p.train_ms,        p.wall_ms,     p.steps,       p.batches,     p.adam_t,
      i32(c.kv_heads), i32(c.head_dim),   i32(c.q_dim())};
}

Status WriteBody(const ModelConfig& config, double s, const BlztSource& source, FileWriter* file) {
  std::vector<float> data;
  for (const auto& [spec, part] : FileOrder(config)) {
    data.resize(static_cast<size_t>(NumElements(spec.shape)));
    if (auto status = source(spec, part, data); !status) return status;
    model::ConvertRotary(config, spec, config.rotary, RotaryLayout::kInterleaved, data);
    Scale(ToFileFactor(spec.role, part, s), data);
    if (auto status = file->Write(std::as_bytes(std::span(data))); !status) return status;
  }
  return {};
}

Result<ModelConfig> ConfigOfBlzt(const BlztHeader& h) {
  ModelConfig config;
  config.name = "blzt";
  config.title = "BLZT";
  config.dim = h.dim;
  config.hidden_dim = h.hidden_dim;
  config.layers = h.layers;
  config.heads = h.heads;
  config.seq = h.seq;
  config.vocab = h.vocab;
  config.rope_theta = kTheta;
  config.rms_norm_eps = kEps;
  config.rotary = RotaryLayout::kInterleaved;
  const bool grouped = h.version >= 4;
  config.kv_heads = grouped ? h.kv_heads : h.heads;
  config.head_dim = grouped ? h.head_dim : (h.heads > 0 ? h.dim / h.heads : 0);
  if (auto status = model::Validate(config); !status) return status.error();
  const int64_t q_dim = grouped ? h.q_dim : h.dim;
  if (q_dim != config.q_dim()) {
    return BadInput("q_dim: expected heads * head_dim = {} * {}, found {}", config.heads,
                    config.head_dim, q_dim);
  }
  return config;
}

}  // namespace

uint64_t BlztBytes(const ModelConfig& config) {
  return sizeof(BlztHeader) + 3 * sizeof(float) * static_cast<uint64_t>(config.params());
}

Status WriteBlzt(const std::string& path, const ModelConfig& config, double residual_alpha,
                 const BlztProgress& progress, const BlztSource& source) {
  if (auto status = CheckFitsBlzt(config); !status) return status.error().In(path);
  if (!std::isfinite(residual_alpha) || residual_alpha == 0.0) {
    return BadInput("{}: residual_alpha: expected a number other than 0, found {}", path,
                    residual_alpha);
  }
  const double s = ReferenceAlpha(config) / residual_alpha;
  return WriteWholeFile(path, BlztBytes(config), [&](FileWriter& file) -> Status {
    const std::array header = {MakeBlztHeader(config, progress)};
    if (auto status = file.Write(std::as_bytes(std::span(header))); !status) return status;
    return WriteBody(config, s, source, &file);
  });
}

bool LooksLikeBlzt(std::span<const std::byte> bytes) {
  int32_t magic = 0;
  if (bytes.size() < sizeof(magic)) return false;
  std::memcpy(&magic, bytes.data(), sizeof(magic));
  return magic == kMagic;
}

Result<BlztFile> BlztFile::Open(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  BlztHeader header = {};
  if (bytes.size() >= sizeof(header)) std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != kMagic) return BadInput("{}: not a BLZT checkpoint", path);
  if (header.version < 2 || header.version > kWrittenVersion) {
    return BadInput("{}: BLZT version 2, 3 or 4 expected, found {}", path, header.version);
  }
  const auto config = ConfigOfBlzt(header);
  if (!config) return config.error().In(path);
  if (bytes.size() != BlztBytes(*config)) {
    return BadInput("{}: {} bytes expected for these sizes, {} found", path, BlztBytes(*config),
                    bytes.size());
  }
  BlztFile out;
  out.path_ = path;
  out.file_ = std::move(*file);
  out.version_ = header.version;
  out.config_ = *config;
  out.progress_ = {header.step,       header.total_steps, header.lr,      header.loss,
                   header.compile_ms, header.train_ms,    header.wall_ms, header.steps,
                   header.batches,    header.adam_t};
  return out;
}

Status BlztFile::Read(const TensorSpec& spec, BlztPart part, std::span<float> out) const {
  const int64_t elements = Elements(config_, spec.role);
  if (elements != NumElements(spec.shape) || elements != static_cast<int64_t>(out.size()) ||
      spec.layer >= config_.layers) {
    return BadInput("{}: no tensor '{}' of shape {}", path_, spec.name, ShapeToString(spec.shape));
  }
  const int64_t offset = Offset(config_, spec, part);
  std::memcpy(out.data(), file_->bytes().data() + offset, out.size_bytes());
  const double s = version_ == 2 ? 1.0 : ReferenceAlpha(config_);
  Scale(1.0 / ToFileFactor(spec.role, part, s), out);
  if (auto status = CheckFinite(spec.name, out); !status) return status.error().In(path_);
  return {};
}

}  // namespace millwright::checkpoint
