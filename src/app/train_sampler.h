// Texts from the weights of a run as it goes on.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "device/device.h"
#include "telemetry/event.h"
#include "text/tokenizer.h"
#include "train/trainer.h"

namespace millwright::app {

// Bytes that a text needs besides the run: a copy of the weights with all words.
uint64_t SampleBytes(const model::ModelConfig& config);

class TrainSampler {
 public:
  // Bad input: a device that computes nothing, a tokenizer that does not fit the model, or none
  // (null), where --sample-every asks for texts. `device` must outlive the object.
  static Status Check(const train::TrainOptions& options, const device::Device& device,
                      const text::Tokenizer* tokenizer);

  // For a run that passed Check. `tokenizer` may be null: then nothing is ever sampled, and a
  // request is answered with a warning.
  TrainSampler(const train::TrainOptions& options, device::Device& device,
               std::shared_ptr<const text::Tokenizer> tokenizer, int64_t first_step,
               std::atomic<bool>& requested);

  // Writes a sample event if a multiple of --sample-every was reached since the last call, or one
  // was requested. The same draws each time, so that texts of different steps compare. What goes
  // wrong (weights that are not finite) is a warning event.
  Status AfterUpdate(train::Trainer& trainer, int64_t step, telemetry::Sink& sink);

 private:
  Result<telemetry::SampleEvent> Sample(train::Trainer& trainer, int64_t step) const;

  const train::TrainOptions& options_;
  device::Device& device_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  int64_t last_step_;
  std::atomic<bool>& requested_;
};

}  // namespace millwright::app
