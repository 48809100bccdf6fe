#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/folder.h"
#include "base/mapped_file.h"
#include "checkpoint/hf_folder.h"
#include "checkpoint/hf_index.h"
#include "checkpoint/hf_names.h"
#include "model/rotary_layout.h"

namespace millwright::checkpoint {
namespace {

namespace fs = std::filesystem;
using model::ModelConfig;
using model::RotaryLayout;
using model::TensorRole;
using model::TensorSpec;

// A tensor of the folder, and the tensor of the network that it is made from.
struct Output {
  TensorInfo info;
  TensorSpec spec;

  uint64_t bytes() const {
    return static_cast<uint64_t>(NumElements(info.shape)) * DTypeSize(info.dtype);
  }
};
using Shard = std::vector<Output>;

std::vector<Output> Outputs(const ModelConfig& config, const HfExport& options) {
  std::vector<Output> outputs;
  const auto add = [&](const std::string& name, const TensorSpec& spec) {
    const auto other = options.other_dtypes.find(name);
    const DType dtype = other == options.other_dtypes.end() ? options.dtype : other->second;
    outputs.push_back({{name, dtype, spec.shape}, spec});
  };
  const auto table = model::TensorTable(config);
  for (const TensorSpec& spec : table) add(spec.name, spec);
  if (config.tied_embeddings && options.repeat_tied_classifier) {
    // In the embedding's dtype: it is the same tensor.
    outputs.push_back(
        {{kHfClassifier, outputs.front().info.dtype, table.front().shape}, table.front()});
  }
  return outputs;
}

// In order, each shard as full as it may be.
std::vector<Shard> Shards(std::vector<Output> outputs, uint64_t max_bytes) {
  std::vector<Shard> shards;
  uint64_t filled = 0;
  for (Output& output : outputs) {
    const uint64_t bytes = output.bytes();
    if (shards.empty() || filled + bytes > max_bytes) {
      shards.emplace_back();
      filled = 0;
    }
    filled += bytes;
    shards.back().push_back(std::move(output));
  }
  return shards;
}

std::string ShardName(size_t index, size_t count) {
  if (count == 1) return kHfModelFile;
  return fmt::format("model-{:05}-of-{:05}.safetensors", index + 1, count);
}

std::vector<TensorInfo> Infos(const std::vector<Output>& outputs) {
  std::vector<TensorInfo> infos;
  infos.reserve(outputs.size());
  for (const Output& output : outputs) infos.push_back(output.info);
  return infos;
}

// What Hugging Face's loader expects in the metadata of PyTorch weights.
SafetensorsMetadata Metadata() { return {{"format", "pt"}}; }

Status CopyFile(const std::string& from, const std::string& to) {
  auto source = MappedFile::Open(from);
  if (!source) return source.error();
  return WriteFile(to, (*source)->bytes());
}

Status WriteShard(const std::string& path, const Shard& shard, const ModelConfig& config,
                  const TensorSource& source, const HfExport& options) {
  auto writer = SafetensorsWriter::Create(path, Infos(shard), Metadata());
  if (!writer) return writer.error();
  std::vector<float> tensor;
  for (const auto& [info, spec] : shard) {
    tensor.resize(static_cast<size_t>(NumElements(spec.shape)));
    if (auto status = source(spec, tensor); !status) return status;
    model::ConvertRotary(config, spec, config.rotary, RotaryLayout::kHalfSplit, tensor);
    FoldResidualAlpha(spec.role, options.residual_alpha, tensor);
    if (auto status = writer->Append(tensor); !status) return status;
  }
  const auto digest = writer->Finish();
  return digest ? Status() : Status(digest.error());
}

Status WriteWeights(const FolderWriter& folder, const ModelConfig& config,
                    const TensorSource& source, const HfExport& options) {
  const auto shards = Shards(Outputs(config, options), options.max_shard_bytes);
  HfWeightMap map;
  uint64_t total = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = ShardName(i, shards.size());
    const std::string path = folder.File(name);
    if (auto status = WriteShard(path, shards[i], config, source, options); !status) return status;
    for (const Output& output : shards[i]) {
      map[output.info.name] = name;
      total += output.bytes();
    }
  }
  if (shards.size() == 1) return {};
  return WriteFile(folder.File(kHfIndexFile), ToHfIndex(map, total));
}

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
  if (auto status = WriteFile(folder->File(kHfConfigFile), text); !status) return status;
  const auto generation = model::ToHfGenerationConfig(options.tokens);
  if (auto status = WriteFile(folder->File(kHfGenerationConfigFile), generation); !status) {
    return status;
  }
  for (const auto& file : options.extra_files) {
    const std::string name = fs::path(file).filename().string();
    if (auto status = CopyFile(file, folder->File(name)); !status) return status;
  }
  if (auto status = WriteWeights(*folder, config, source, options); !status) return status;
  return folder->Commit();
}

uint64_t HfFolderBytes(const ModelConfig& config, const HfExport& options) {
  constexpr uint64_t kSlack = 64 << 10;  // the JSON files, the folder, blocks not filled
  constexpr uint64_t kIndexSlack = 256;  // a tensor's line in the index, headers of shards
  const auto outputs = Outputs(config, options);
  return SafetensorsBytes(Infos(outputs), Metadata()) + kSlack + kIndexSlack * outputs.size();
}

}  // namespace millwright::checkpoint
