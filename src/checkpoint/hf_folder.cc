#include "checkpoint/hf_folder.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "base/read_file.h"
#include "checkpoint/finite.h"
#include "checkpoint/hf_index.h"
#include "checkpoint/hf_names.h"
#include "checkpoint/unique_json.h"

namespace millwright::checkpoint {
namespace {

namespace fs = std::filesystem;
using model::TensorSpec;

// The rotary tables of old files, which every reader computes anew.
bool IsRotaryTable(std::string_view name) { return name.ends_with("rotary_emb.inv_freq"); }

bool IsWeightDtype(const std::optional<DType>& dtype) {
  return dtype == DType::kFp32 || dtype == DType::kFp16 || dtype == DType::kBf16;
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

// How an entry differs from what the network has, or nothing.
std::string Misfit(const Safetensors::Entry& entry, const TensorSpec& spec) {
  if (entry.shape != spec.shape) {
    return fmt::format("'{}' has shape {}, expected {}", spec.name, ShapeToString(entry.shape),
                       ShapeToString(spec.shape));
  }
  if (IsWeightDtype(entry.dtype)) return "";
  return fmt::format("'{}' is {}, expected F32, F16 or BF16", spec.name, entry.dtype_name);
}

}  // namespace

Result<HfFolder> HfFolder::Open(const std::string& dir) {
  const std::string path = dir + "/" + kHfConfigFile;
  const auto text = ReadFile(path);
  if (!text) return text.error();
  fs::path folder = fs::path(dir);
  if (!folder.has_filename()) folder = folder.parent_path();
  auto config = model::ParseHfConfig(*text, path, folder.filename().string());
  if (!config) return config.error();
  HfFolder out;
  out.config_ = std::move(*config);
  if (auto status = out.ReadGenerationConfig(dir); !status) return status.error();
  if (auto status = out.OpenFiles(dir); !status) return status.error();
  if (auto status = out.CheckTensors(dir); !status) return status.error();
  if (auto status = out.CheckTiedClassifier(dir); !status) return status.error();
  out.CountDtypes();
  return out;
}

Status HfFolder::ReadGenerationConfig(const std::string& dir) {
  const std::string path = dir + "/" + kHfGenerationConfigFile;
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  const auto text = ReadFile(path);
  if (!text) return text.error();
  return model::AddGenerationTokens(*text, path, &config_.tokens);
}

Status HfFolder::OpenFile(const std::string& path) {
  auto file = Safetensors::Open(path);
  if (!file) return file.error();
  for (const auto& entry : file->entries()) {
    const auto [other, added] = file_of_.emplace(entry.name, files_.size());
    if (!added) {
      return BadInput("{}: tensor {} is also in {}", path, Quoted(entry.name),
                      files_[other->second].path());
    }
  }
  files_.push_back(std::move(*file));
  return {};
}

// As Hugging Face's loader: one file where it is there, else what the index names.
Status HfFolder::OpenFiles(const std::string& dir) {
  const std::string single = dir + "/" + kHfModelFile, index = dir + "/" + kHfIndexFile;
  std::error_code error;
  if (fs::exists(single, error) || !fs::exists(index, error)) return OpenFile(single);
  const auto map = ReadHfIndex(index);
  if (!map) return map.error();
  std::set<std::string> names;
  for (const auto& [tensor, name] : *map) names.insert(name);
  for (const auto& name : names) {
    if (auto status = OpenFile(dir + "/" + name); !status) return status.error().In(index);
  }
  for (const auto& [tensor, name] : *map) {
    const Safetensors* file = FileOf(tensor);
    if (file == nullptr || file->path() != dir + "/" + name) {
      return BadInput("{}: tensor {} is not in {}", index, Quoted(tensor), name);
    }
  }
  for (const auto& [tensor, file] : file_of_) {
    if (!map->contains(tensor)) {
      return BadInput("{}: says nothing of tensor {}, which is in {}", index, Quoted(tensor),
                      files_[file].path());
    }
  }
  return {};
}

const Safetensors* HfFolder::FileOf(std::string_view tensor) const {
  const auto found = file_of_.find(tensor);
  return found == file_of_.end() ? nullptr : &files_[found->second];
}

bool HfFolder::repeats_tied_classifier() const {
  return config_.config.tied_embeddings && file_of_.contains(kHfClassifier);
}

Status HfFolder::CheckTiedClassifier(const std::string& dir) const {
  if (!repeats_tied_classifier()) return {};
  const Safetensors& a = *FileOf(kHfClassifier);
  const Safetensors& b = *FileOf(kHfEmbedding);
  const auto &classifier = *a.Find(kHfClassifier), &embedding = *b.Find(kHfEmbedding);
  const auto x = a.Bytes(classifier), y = b.Bytes(embedding);
  if (classifier.shape == embedding.shape && classifier.dtype == embedding.dtype &&
      std::memcmp(x.data(), y.data(), x.size()) == 0) {
    return {};
  }
  return BadInput("{}: config.json says tie_word_embeddings, but '{}' is not equal to '{}'", dir,
                  kHfClassifier, kHfEmbedding);
}

Status HfFolder::CheckTensors(const std::string& dir) const {
  Findings findings;
  std::set<std::string, std::less<>> known;
  if (config_.config.tied_embeddings) known.insert(kHfClassifier);
  for (const auto& spec : model::TensorTable(config_.config)) {
    known.insert(spec.name);
    const Safetensors* file = FileOf(spec.name);
    const std::string misfit = file == nullptr ? fmt::format("'{}' is missing", spec.name)
                                               : Misfit(*file->Find(spec.name), spec);
    if (!misfit.empty()) findings.Add("{}", misfit);
  }
  for (const auto& [name, file] : file_of_) {
    if (!known.contains(name) && !IsRotaryTable(name)) {
      findings.Add("{} is not a tensor of this network", Quoted(name));
    }
  }
  if (findings.count() == 0) return {};
  return BadInput("{}: {} tensors do not fit config.json: {}", dir, findings.count(),
                  findings.text());
}

void HfFolder::CountDtypes() {
  std::map<DType, int64_t> elements;
  std::map<std::string, DType> dtypes;
  for (const auto& spec : model::TensorTable(config_.config)) {
    const DType dtype = *FileOf(spec.name)->Find(spec.name)->dtype;
    elements[dtype] += NumElements(spec.shape);
    dtypes[spec.name] = dtype;
  }
  dtype_ = std::ranges::max_element(elements, {}, [](const auto& e) { return e.second; })->first;
  std::erase_if(dtypes, [this](const auto& tensor) { return tensor.second == dtype_; });
  other_dtypes_ = std::move(dtypes);
}

Status HfFolder::Read(const TensorSpec& spec, std::span<float> out) const {
  const Safetensors* file = FileOf(spec.name);
  if (file == nullptr) return BadInput("no tensor '{}' in the model folder", spec.name);
  if (auto status = file->Read(spec.name, spec.shape, out); !status) return status;
  if (auto status = CheckFinite(spec.name, out); !status) return status.error().In(file->path());
  return {};
}

}  // namespace millwright::checkpoint
