// What a run hands on from the model that it starts from to the one that it writes, besides the
// weights.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/dtype.h"
#include "base/result.h"
#include "checkpoint/hf_folder.h"
#include "model/hf_config.h"
#include "train/options.h"

namespace millwright::train {

// Default: of a run from scratch.
struct Origin {
  std::string base;     // where the weights come from; named by an exported adapter
  int64_t context = 0;  // positions that the model is made for: the run's seq may be shorter
  model::TokenIds tokens;
  std::map<std::string, DType> other_dtypes;  // of tensors that are not held in export_dtype
  bool repeat_tied_classifier = false;        // see checkpoint::HfExport
};

// Adds the fields to what a state says, `meta`.
void AddToMeta(const Origin& origin, nlohmann::json& meta);

// Reads them back. Absent ones, as in states of earlier versions, keep their defaults; bad input
// names a field of another type or out of range.
Result<Origin> OriginFromMeta(const nlohmann::json& meta);

// Takes from `other` the begin and end tokens that `tokens` does not say.
void FillAbsent(const model::TokenIds& other, model::TokenIds& tokens);

// The config that model/ says: `config` with the longer of its seq and the origin's context.
model::ModelConfig ExportConfig(const model::ModelConfig& config, const Origin& origin);

// How model/ is written, without extra files.
checkpoint::HfExport ExportOptions(const TrainOptions& options, const Origin& origin);

}  // namespace millwright::train
