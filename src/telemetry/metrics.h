// A run as its metrics tell it, event by event.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "telemetry/event.h"

namespace millwright::telemetry {

// By micro-step. One that was done again after a resume counts with its last line.
struct Metrics {
  // In the order of the file.
  void Add(const Event& event);

  std::map<int64_t, StepEvent> steps;
  std::map<int64_t, UpdateEvent> updates;
  std::map<int64_t, ValidationEvent> validations;
  std::map<int64_t, SampleEvent> samples;
  std::map<int64_t, CheckpointEvent> checkpoints;
  std::map<int64_t, TensorsEvent> tensors;
  std::map<int64_t, KernelsEvent> kernels;
  std::map<int64_t, SystemEvent> system;

  std::optional<ConfigEvent> config;  // of the latest start
  std::optional<EndEvent> end;        // of the latest start; absent while it goes on
  // What a log shows: the config, validation, sample, checkpoint, warning and end events, all of
  // them, in the order of the file.
  std::vector<Event> log;

  int64_t events = 0;         // all, repeated ones included
  int64_t last_step = 0;      // of the last line of a step, which a resume may put back
  int64_t skipped_lines = 0;  // cut off by a crash, or of a type of a later version
};

}  // namespace millwright::telemetry
