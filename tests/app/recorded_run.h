// A run folder as training would have left it, the same every time.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "telemetry/jsonl.h"

namespace millwright::testing {

// Sums and products only, so that every machine computes the same bits.
inline float RecordedLoss(int step) {
  const double noise = static_cast<double>(step * step % 17) / 17 - 0.5;
  return static_cast<float>(2.1 + 6.9 / (1 + 0.03 * step) + 0.25 * noise);
}

inline telemetry::ConfigEvent RecordedConfig() {
  return {.settings = {{"settings",
                        {{"steps", 400},
                         {"lr", 1e-3},
                         {"accum", 2},
                         {"batch", 1},
                         {"device", "cpu"},
                         {"precision", "fp32"},
                         {"binding", "separate"},
                         {"config",
                          {{"title", "Stories nano"},
                           {"layers", 5},
                           {"dim", 256},
                           {"hidden_dim", 704},
                           {"heads", 4},
                           {"kv_heads", 4},
                           {"seq", 256},
                           {"vocab", 2048}}}}}},
          .time = 1000,
          .pid = 4242,
          .host = "a machine of the past"};
}

inline telemetry::StepEvent RecordedStep(int step) {
  const double ms = 80 + step % 7;
  return {.step = step,
          .loss = RecordedLoss(step),
          .lr = step < 40 ? 2.5e-5 * step : 1e-3 - 2e-6 * (step - 40),
          .ms = ms,
          .tokens_per_s = 256e3 / ms,
          .phases_ms = {{"forward", 20},
                        {"backward", 32},
                        {"staging_forward", 1.5},
                        {"dw", 15},
                        {"classifier", 7}},
          .time = 1000 + 0.1 * step,
          .floor_share = 0.61};
}

// 300 of 400 micro-steps, interrupted: nothing that it shows depends on a clock.
inline void WriteRecordedRun(const std::string& folder) {
  std::filesystem::create_directories(folder);
  auto sink = telemetry::JsonlSink::Open(folder + "/metrics.jsonl");
  ASSERT_TRUE(sink.ok());
  const auto write = [&](const telemetry::Event& event) {
    ASSERT_TRUE((*sink)->Write(event).ok());
  };
  write(RecordedConfig());
  for (int step = 1; step <= 300; ++step) {
    write(RecordedStep(step));
    if (step % 2 == 0) {
      write(telemetry::UpdateEvent{
          .step = step, .update = step / 2, .grad_norm = 0.6 + 0.05 * (step % 11), .ms = 9});
    }
    if (step % 10 == 0) {
      write(telemetry::SystemEvent{.step = step,
                                   .time = 1000 + 0.1 * step,
                                   .rss_bytes = 180000000 + 40000 * step,
                                   .process_cpu = 1.8 + 0.01 * (step % 20)});
    }
    if (step % 50 == 0) {
      write(telemetry::ValidationEvent{
          .step = step, .val_loss = RecordedLoss(step) + 0.2, .windows = 16});
    }
    if (step % 100 == 0) {
      write(telemetry::CheckpointEvent{.step = step, .path = "state", .ms = 120});
      write(telemetry::SampleEvent{
          .step = step,
          .prompt = "Once upon a time",
          .text = ", there was a little girl named Mia. She had a café for 猫 and dogs. "
                  "One day her friend came to play, and they were happy.",
          .tokens = 64,
          .ms = 900});
    }
  }
  write(telemetry::WarningEvent{.step = 300, .message = "the tokenizer has no end token"});
  write(telemetry::EndEvent{.step = 300, .reason = "interrupted", .wall_s = 31});
}

}  // namespace millwright::testing
