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
  DType dtype = DType::kFp32;                 // kFp32, kFp16 or kBf16
  std::map<std::string, DType> other_dtypes;  // of tensors that have another, by name
  double residual_alpha = 1.0;  // the network's; folded into wo and w2, since the format has none
  model::TokenIds tokens;
  std::vector<std::string> extra_files;  // copied in: a tokenizer
  bool repeat_tied_classifier = false;   // lm_head.weight is written too, equal to the embedding
  uint64_t max_shard_bytes = 5'000'000'000;  // of tensors in one file; a larger tensor has its own
};

// Writes `dir` as a whole or not at all, over an earlier one: config.json, generation_config.json,
// model.safetensors (or model-00001-of-0000N.safetensors and model.safetensors.index.json), extra
// files. The parent folder must exist. Rotary weights are permuted exactly to Hugging Face's
// half-split layout. Loads as LlamaForCausalLM, or Qwen3ForCausalLM with qk_norm. Fails, by tensor,
// where a finite weight is too large for its dtype.
Status WriteHfFolder(const std::string& dir, const model::ModelConfig& config,
                     const TensorSource& source, const HfExport& options);

// Disk space that WriteHfFolder needs for the model, without extra files.
uint64_t HfFolderBytes(const model::ModelConfig& config, const HfExport& options = {});

// A folder opened for reading: model.safetensors, or shards with model.safetensors.index.json. The
// files are mapped: opening reads their headers, and a tied classifier's bytes.
class HfFolder {
 public:
  // Checks that the tensors are those of the config, and lists all that are missing, unknown, of
  // another shape or of a dtype other than fp32, fp16 and bf16. Bad input too: an index that does
  // not say what its shards hold, a classifier that config.json calls the embedding and is not. The
  // config has Hugging Face's half-split rotary layout.
  static Result<HfFolder> Open(const std::string& dir);

  const model::ModelConfig& config() const { return config_.config; }
  const model::TokenIds& tokens() const { return config_.tokens; }
  size_t files() const { return files_.size(); }

  // The dtype of most elements, and the tensors that have another.
  DType dtype() const { return dtype_; }
  const std::map<std::string, DType>& other_dtypes() const { return other_dtypes_; }

  // The folder holds lm_head.weight though it is the embedding.
  bool repeats_tied_classifier() const;

  // Reads a tensor of TensorTable(config()) as floats. Bad input, by tensor: values that are not
  // finite.
  Status Read(const model::TensorSpec& spec, std::span<float> out) const;

 private:
  HfFolder() = default;
  Status ReadGenerationConfig(const std::string& dir);
  Status OpenFiles(const std::string& dir);
  Status OpenFile(const std::string& path);
  Status CheckTensors(const std::string& dir) const;
  Status CheckTiedClassifier(const std::string& dir) const;
  void CountDtypes();
  const Safetensors* FileOf(std::string_view tensor) const;

  model::HfConfig config_;
  std::vector<Safetensors> files_;
  std::map<std::string, size_t, std::less<>> file_of_;  // by tensor
  DType dtype_ = DType::kFp32;
  std::map<std::string, DType> other_dtypes_;
};

}  // namespace millwright::checkpoint
