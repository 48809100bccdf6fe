// What a training run is made of, opened and checked.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "app/stored_model.h"
#include "app/train_data.h"
#include "app/train_flags.h"
#include "base/product_counters.h"
#include "base/result.h"
#include "checkpoint/training_state.h"
#include "data/vocabulary.h"
#include "device/device.h"
#include "math/gemm_table.h"
#include "train/options.h"
#include "train/origin.h"

namespace millwright::app {

// Everything that is opened and checked before the run folder is touched.
struct TrainPreparation {
  train::TrainOptions options;
  std::string out;
  std::unique_ptr<ProductCounters> products;  // --count-products; outlives the device
  std::unique_ptr<device::Device> device;
  TrainData data;
  std::optional<data::VocabMap> vocab;
  std::optional<checkpoint::StateReader> state;       // --resume
  int64_t saved_steps = 0;                            // the length that the run had
  std::optional<StoredModel> model;                   // --from
  train::Origin origin;                               // of model
  std::shared_ptr<const math::GemmTable> gemm_table;  // null: the fixed rule
  bool one_dtype = false;                             // --export-dtype
  nlohmann::json run_json, machine;
};

// Opens what `flags` name: the saved state or the model, device, data and vocabulary; holds them
// against each other and against the machine's memory and disk. Prints what the run needs to
// standard error. Nothing is written.
Result<TrainPreparation> PrepareTraining(const TrainFlags& flags);

// As run.json and states have it.
std::string DataHash(const data::TokenSource& tokens);

}  // namespace millwright::app
