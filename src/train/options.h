// The settings of a training run. They are saved as JSON with the run; the names there are those of
// the command line's flags.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "data/vocabulary.h"
#include "kernels/kernel.h"
#include "model/config.h"
#include "model/lora.h"

namespace millwright::train {

struct TrainOptions {
  model::ModelConfig config;  // with --seq and --qk-norm applied
  std::string data;           // a token shard or text; empty: the embedded stories
  std::string val;            // empty: none (the embedded validation stories with embedded data)
  std::string tokenizer;      // of text in data and val; empty: those are shards
  std::string split;          // ends a document of text; escapes of C
  std::string text_field;     // not empty: text is JSON objects, a line each
  int64_t steps = 10000;      // micro-steps in all
  double lr = 3e-4;
  int64_t accum = 10;    // micro-steps an update
  int64_t warmup = 100;  // micro-steps
  double clip = 1.0;     // 0: off
  uint64_t seed = 42;
  double loss_scale = 0.0;  // 0: the device's default: 65536 on the ANE, 256 on fp16, 1 on fp32
  bool dynamic_loss_scale = false;  // grows and falls with the gradients: see loss_scale.h
  double weight_decay = 0.1;
  double beta1 = 0.9, beta2 = 0.95;  // what AdamW's moments keep of themselves at an update
  double act_clip = 0.0;             // 0: off
  double residual_alpha = 1.0;       // 1: off
  int64_t val_every = 100;           // micro-steps
  int64_t val_windows = 20;
  int64_t save_every = 100;         // micro-steps
  int64_t tensor_stats_every = 50;  // updates between measurements of the tensors; 0: off
  int64_t sample_every = 0;         // micro-steps between texts from the weights; 0: off
  std::string sample_prompt = "Once upon a time";
  bool tensorboard = false;      // event files beside metrics.jsonl
  int64_t batch = 1;             // sequences a micro-step
  std::string moments = "fp32";  // what AdamW's moments are kept in: fp32 or bf16
  bool recompute = false;        // activations in the backward step, instead of keeping them
  data::VocabMode vocab = data::VocabMode::kExact;
  kernels::Binding binding = kernels::Binding::kSeparate;
  std::string device = "cpu";
  std::string precision = "fp32";
  std::string ane_rules;              // of precision ane: see base/ane_rules.h
  std::string offload;                // names of kernels/offload.h, as OffloadNames writes them
  int threads = 0;                    // 0: all cores; saved as the number it came to
  std::vector<std::string> freeze;    // patterns of tensors that are not trained: see freeze.h
  model::LoraConfig lora;             // where enabled, adapters are trained and nothing else
  DType export_dtype = DType::kFp32;  // of model/: kFp32, kBf16 or kFp16
};

inline constexpr double kAdamEps = 1e-8;  // AdamW's; not a setting

// The binding that kernels::BindingName calls `name`; nothing for another name.
std::optional<kernels::Binding> BindingFromName(std::string_view name);

// fp32, bf16 or fp16: what a model can be written in; nothing for another name.
std::optional<DType> ExportDTypeFromName(std::string_view name);

// The patterns of what a run leaves as it is: `freeze`, or everything but the adapters.
std::vector<std::string> FrozenPatterns(const TrainOptions& options);

// Why a run with these settings is impossible, by flag.
Status Validate(const TrainOptions& options);

nlohmann::json ToJson(const TrainOptions& options);
nlohmann::json ToJson(const model::ModelConfig& config);
// Both name the first field that is missing or has another type.
Result<model::ModelConfig> ConfigFromJson(const nlohmann::json& json);
Result<TrainOptions> OptionsFromJson(const nlohmann::json& json);

// Holds the flags that the user gave on --resume against the saved run. Equal values pass, more
// --steps extend the run, anything else is refused by name. Flags that do not change the
// computation (--save-every, --val-every, --val-windows, --export-dtype, --recompute, and what
// watching the run needs: --sample-every, --sample-prompt, --tensor-stats-every, --tensorboard) may
// change. Returns the options to go on with.
Result<TrainOptions> MergeForResume(const TrainOptions& saved, const TrainOptions& given,
                                    const std::set<std::string>& given_flags);

// Holds the settings of a run that is about to go on against those it was saved with: whatever
// changes the computation must be equal. Bad input names the first that is not. The number of
// micro-steps and where the data comes from may differ (the data's hash is saved besides).
Status RequireSameRun(const TrainOptions& saved, const TrainOptions& now);

}  // namespace millwright::train
