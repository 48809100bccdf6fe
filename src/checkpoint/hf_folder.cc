#include "checkpoint/hf_folder.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/mapped_file.h"
#include "checkpoint/folder.h"
#include "model/rotary_layout.h"

namespace millwright::checkpoint {
namespace {

namespace fs = std::filesystem;
using model::ModelConfig;
using model::RotaryLayout;
using model::TensorRole;
using model::TensorSpec;
using nlohmann::json;

constexpr const char* kConfig = "config.json";
constexpr const char* kGenerationConfig = "generation_config.json";
constexpr const char* kModel = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kClassifier = "lm_head.weight";
const char* const kEmbedding = "model.embed_tokens.weight";

std::vector<TensorInfo> Infos(const std::vector<TensorSpec>& table, DType dtype) {
  std::vector<TensorInfo> infos;
  for (const auto& spec : table) infos.push_back({spec.name, dtype, spec.shape});
  return infos;
}

// What Hugging Face's loader expects in the metadata of PyTorch weights.
SafetensorsMetadata Metadata() { return {{"format", "pt"}}; }

Status WriteText(const std::string& path, std::string_view text) {
  auto file = FileWriter::Create(path);
  if (!file) return file.error();
  if (auto status = file->Write(std::as_bytes(std::span(text))); !status) return status;
  const auto digest = file->Finish();
  return digest ? Status() : Status(digest.error());
}

Status WriteWeights(const std::string& path, const ModelConfig& config, const TensorSource& source,
                    const HfExport& options) {
  const auto table = model::TensorTable(config);
  auto writer = SafetensorsWriter::Create(path, Infos(table, options.dtype), Metadata());
  if (!writer) return writer.error();
  std::vector<float> tensor;
  for (const auto& spec : table) {
    tensor.resize(static_cast<size_t>(NumElements(spec.shape)));
    if (auto status = source(spec, tensor); !status) return status;
    model::ConvertRotary(config, spec, config.rotary, RotaryLayout::kHalfSplit, tensor);
    FoldResidualAlpha(spec.role, options.residual_alpha, tensor);
    if (auto status = writer->Append(tensor); !status) return status;
  }
  const auto digest = writer->Finish();
  return digest ? Status() : Status(digest.error());
}

Status CopyFile(const std::string& from, const std::string& to) {
  auto source = MappedFile::Open(from);
  if (!source) return source.error();
  auto file = FileWriter::Create(to);
  if (!file) return file.error();
  if (auto status = file->Write((*source)->bytes()); !status) return status;
  const auto digest = file->Finish();
  return digest ? Status() : Status(digest.error());
}

Result<std::string> ReadText(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// The files that model.safetensors.index.json names.
Result<std::set<std::string>> ShardNames(const std::string& path) {
  const auto text = ReadText(path);
  if (!text) return text.error();
  const json index = json::parse(*text, nullptr, false);
  const json map = index.is_object() ? index.value("weight_map", json()) : json();
  if (!map.is_object()) return BadInput("{}: weight_map is missing", path);
  std::set<std::string> names;
  for (const auto& [tensor, file] : map.items()) {
    if (!file.is_string() || file.get_ref<const std::string&>().find('/') != std::string::npos) {
      return BadInput("{}: tensor '{}': expected the name of a file in the folder, found {}", path,
                      tensor, file.dump(-1, ' ', true));
    }
    names.insert(file.get<std::string>());
  }
  return names;
}

// Tensors that carry nothing of their own: the tied classifier, and the rotary tables of old files.
bool Ignored(std::string_view name) {
  return name == kClassifier || name.ends_with("rotary_emb.inv_freq");
}

// Lists the first few of many findings.
class Findings {
 public:
  template <class... Args>
  void Add(fmt::format_string<Args...> format, Args&&... args) {
    if (count_++ >= kShown) return;
    text_ += fmt::format("{}{}", text_.empty() ? "" : "; ",
                         fmt::format(format, std::forward<Args>(args)...));
  }
  int count() const { return count_; }
  std::string text() const {
    return count_ <= kShown ? text_ : fmt::format("{}; and {} more", text_, count_ - kShown);
  }

 private:
  static constexpr int kShown = 8;
  int count_ = 0;
  std::string text_;
};

}  // namespace

void FoldResidualAlpha(TensorRole role, double residual_alpha, std::span<float> tensor) {
  if (residual_alpha == 1.0 || (role != TensorRole::kWo && role != TensorRole::kW2)) return;
  for (float& w : tensor) w = static_cast<float>(w * residual_alpha);
}

Status WriteHfFolder(const std::string& dir, const ModelConfig& config, const TensorSource& source,
                     const HfExport& options) {
  if (auto status = model::Validate(config); !status) return status.error().In(dir);
  auto folder = FolderWriter::Create(dir);
  if (!folder) return folder.error();
  const auto text = model::ToHfConfig(config, options.dtype, options.tokens);
  if (auto status = WriteText(folder->File(kConfig), text); !status) return status;
  const auto generation = model::ToHfGenerationConfig(options.tokens);
  if (auto status = WriteText(folder->File(kGenerationConfig), generation); !status) return status;
  for (const auto& file : options.extra_files) {
    const std::string name = fs::path(file).filename().string();
    if (auto status = CopyFile(file, folder->File(name)); !status) return status;
  }
  const std::string weights = folder->File(kModel);
  if (auto status = WriteWeights(weights, config, source, options); !status) return status;
  return folder->Commit();
}

uint64_t HfFolderBytes(const ModelConfig& config, DType dtype) {
  constexpr uint64_t kSlack = 64 << 10;  // the JSON files, the folder, blocks not filled
  return SafetensorsBytes(Infos(model::TensorTable(config), dtype), Metadata()) + kSlack;
}

Result<HfFolder> HfFolder::Open(const std::string& dir) {
  const std::string path = dir + "/" + kConfig;
  const auto text = ReadText(path);
  if (!text) return text.error();
  fs::path folder = fs::path(dir);
  if (!folder.has_filename()) folder = folder.parent_path();
  auto config = model::ParseHfConfig(*text, path, folder.filename().string());
  if (!config) return config.error();
  HfFolder out;
  out.config_ = std::move(*config);
  if (auto status = out.OpenFiles(dir); !status) return status.error();
  if (auto status = out.CheckClassifier(dir); !status) return status.error();
  out.config_.config.tied_embeddings = true;
  if (auto status = out.CheckTensors(dir); !status) return status.error();
  return out;
}

Status HfFolder::OpenFiles(const std::string& dir) {
  std::set<std::string> names = {kModel};
  std::error_code error;
  if (!fs::exists(dir + "/" + kModel, error) && fs::exists(dir + "/" + kIndex, error)) {
    auto shards = ShardNames(dir + "/" + kIndex);
    if (!shards) return shards.error();
    names = std::move(*shards);
  }
  for (const auto& name : names) {
    auto file = Safetensors::Open(dir + "/" + name);
    if (!file) return file.error();
    for (const auto& entry : file->entries()) {
      if (const auto* other = FileOf(entry.name); other != nullptr) {
        return BadInput("{}: tensor '{}' is also in {}", file->path(), entry.name, other->path());
      }
    }
    files_.push_back(std::move(*file));
  }
  return {};
}

const Safetensors* HfFolder::FileOf(const std::string& tensor) const {
  for (const auto& file : files_) {
    if (file.Find(tensor) != nullptr) return &file;
  }
  return nullptr;
}

// A model that is not declared tied still is, if its classifier holds the embedding's very bytes.
Status HfFolder::CheckClassifier(const std::string& dir) {
  if (config_.config.tied_embeddings) return {};
  const Safetensors* classifier = FileOf(kClassifier);
  const Safetensors* embedding = FileOf(kEmbedding);
  if (classifier != nullptr && embedding != nullptr) {
    const auto a = classifier->Bytes(*classifier->Find(kClassifier));
    const auto b = embedding->Bytes(*embedding->Find(kEmbedding));
    if (a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0) return {};
  }
  return BadInput(
      "{}: tie_word_embeddings is false: a classifier apart from the embedding is not "
      "supported",
      dir);
}

Status HfFolder::CheckTensors(const std::string& dir) {
  Findings findings;
  std::set<std::string> known;
  for (const auto& spec : model::TensorTable(config_.config)) {
    known.insert(spec.name);
    const Safetensors* file = FileOf(spec.name);
    if (file == nullptr) {
      findings.Add("'{}' is missing", spec.name);
      continue;
    }
    const auto& entry = *file->Find(spec.name);
    if (entry.shape != spec.shape) {
      findings.Add("'{}' has shape {}, expected {}", spec.name, ShapeToString(entry.shape),
                   ShapeToString(spec.shape));
    }
  }
  for (const auto& file : files_) {
    for (const auto& entry : file.entries()) {
      if (!known.contains(entry.name) && !Ignored(entry.name)) {
        findings.Add("'{}' is not a tensor of this network", entry.name);
      }
    }
  }
  if (findings.count() == 0) return {};
  return BadInput("{}: {} tensors do not fit config.json: {}", dir, findings.count(),
                  findings.text());
}

DType HfFolder::dtype() const {
  return FileOf(kEmbedding)->Find(kEmbedding)->dtype.value_or(DType::kFp32);
}

Status HfFolder::Read(const TensorSpec& spec, std::span<float> out) const {
  const Safetensors* file = FileOf(spec.name);
  if (file == nullptr) return BadInput("no tensor '{}' in the model folder", spec.name);
  return file->Read(spec.name, spec.shape, out);
}

}  // namespace millwright::checkpoint
