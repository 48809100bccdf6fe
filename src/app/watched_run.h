// A training run with everything that watches it: metrics.jsonl, the printed lines, texts.
#pragma once

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"
#include "device/device.h"
#include "text/tokenizer.h"
#include "train/trainer.h"

namespace millwright::app {

struct WatchedRun {
  const train::TrainOptions& options;
  std::string out;          // the run folder
  nlohmann::json run_json;  // what the config event says
  nlohmann::json machine;   // see ConfigEvent
  device::Device& device;
  std::shared_ptr<const text::Tokenizer> tokenizer;  // may be null
};

// The machine as ConfigEvent tells it. Where the CPU device does all of the work in fp32, its FMA
// rate is measured (for a twentieth of a second) and the floor of a micro-step computed from it;
// `rows` are those of the embedding in memory.
nlohmann::json DescribeMachine(const train::TrainOptions& options, const device::Device& device,
                               int64_t rows);

// Runs the trainer to its end. The last event says how it ended, also where it failed. Fails as
// Trainer::Run, and where metrics.jsonl cannot be opened.
Result<train::RunEnd> RunWatched(const WatchedRun& run, train::Trainer& trainer,
                                 const std::atomic<bool>& stop);

}  // namespace millwright::app
