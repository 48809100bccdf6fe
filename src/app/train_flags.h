// The flags of `millwright train`.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <set>
#include <string>

#include "train/options.h"

namespace millwright::app {

struct TrainFlags {
  train::TrainOptions options;
  bool scratch = false, resume = false, overwrite = false;
  std::string gemm_table = "fixed";  // --gemm-table fixed|tuned|FILE
  std::string from;                  // --from PATH
  std::string out;                   // empty: runs/<model>
  std::set<std::string> given;       // long names of the flags on the command line, without dashes

  // As text, checked by Finish.
  std::string vocab, binding, residual_alpha, loss_scale, qk_norm, export_dtype, lora_targets;
  int64_t seq = 0;
  bool count_products = false;
};

// Adds the flags to `command`, with the defaults of `config`.
std::shared_ptr<TrainFlags> AddTrainFlags(CLI::App& command, const model::ModelConfig& config);

// After parsing: which flags were given, and what the textual ones mean. Bad input names the flag.
Status FinishTrainFlags(const CLI::App& command, TrainFlags& flags);

}  // namespace millwright::app
