// Models as Hugging Face folders: config.json and model.safetensors.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "checkpoint/safetensors.h"
#include "model/hf_config.h"
#include "model/tensors.h"

namespace millwright::checkpoint {

// Yields a whole tensor, in the rotary layout of the config that it is used with. `out` has
// NumElements(spec.shape) elements.
using TensorSource = std::function<Status(const model::TensorSpec& spec, std::span<float> out)>;

// Multiplies a wo or w2 by a network's residual_alpha, as a format that has no such factor needs.
void FoldResidualAlpha(model::TensorRole role, double residual_alpha, std::span<float> tensor);

struct HfExport {
  DType dtype = DType::kFp32;   // kFp32, kFp16 or kBf16
  double residual_alpha = 1.0;  // the network's; folded into wo and w2, since the format has none
  model::TokenIds tokens;
  std::vector<std::string> extra_files;  // copied in: a tokenizer
};

// Writes `dir` as a whole or not at all, over an earlier one: config.json, generation_config.json,
// model.safetensors, extra files. The parent folder must exist. Rotary weights are permuted exactly
// to Hugging Face's half-split layout. Loads as LlamaForCausalLM, or Qwen3ForCausalLM with qk_norm.
Status WriteHfFolder(const std::string& dir, const model::ModelConfig& config,
                     const TensorSource& source, const HfExport& options);

// Disk space that WriteHfFolder needs for the model, without extra files.
uint64_t HfFolderBytes(const model::ModelConfig& config, DType dtype);

// A folder opened for reading: model.safetensors, or shards with model.safetensors.index.json.
class HfFolder {
 public:
  // Checks that the tensors are those of the config, and lists all that are missing, unknown or of
  // another shape. The config has Hugging Face's half-split rotary layout.
  static Result<HfFolder> Open(const std::string& dir);

  const model::ModelConfig& config() const { return config_.config; }
  const model::TokenIds& tokens() const { return config_.tokens; }

  // What the embedding is stored in, and with it, as a rule, every weight.
  DType dtype() const;

  // Reads a tensor of TensorTable(config()) as floats.
  Status Read(const model::TensorSpec& spec, std::span<float> out) const;

 private:
  HfFolder() = default;
  Status OpenFiles(const std::string& dir);
  Status CheckTensors(const std::string& dir);
  Status CheckClassifier(const std::string& dir);
  const Safetensors* FileOf(const std::string& tensor) const;

  model::HfConfig config_;
  std::vector<Safetensors> files_;
};

}  // namespace millwright::checkpoint
