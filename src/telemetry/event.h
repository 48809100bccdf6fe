// What happens in a run, as typed events. Everything that watches a run reads these and nothing
// else.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace millwright::telemetry {

struct ConfigEvent {
  nlohmann::json settings;  // all of run.json
};
// One micro-step, numbered from 1. Only step events have both `step` and `loss` in the JSON.
struct StepEvent {
  int64_t step = 0;
  float loss = 0;
  double lr = 0;
  double ms = 0;
  double tokens_per_s = 0;
  std::map<std::string, double> phases_ms;  // forward, backward, staging, dw, classifier, ...
  // For the printed lines only, every tenth step: "x_min", "dy_max", "dq_norm", ... Not in the
  // JSON.
  std::map<std::string, double> diagnostics;
};
struct UpdateEvent {
  int64_t step = 0;
  int64_t update = 0;
  double grad_norm = 0;
  double lr = 0;
  double loss_scale = 1;
  bool skipped = false;
  double ms = 0;                              // optimizer time
  std::map<std::string, double> group_norms;  // attn, ffn, embed
};
struct ValidationEvent {
  int64_t step = 0;
  double val_loss = 0;
  int64_t windows = 0;
};
struct CheckpointEvent {
  int64_t step = 0;
  std::string path;
  double ms = 0;
};
struct WarningEvent {
  int64_t step = 0;
  std::string message;
};
struct EndEvent {
  int64_t step = 0;
  std::string reason;  // "done", "interrupted", "failed"
  double wall_s = 0;
};

using Event = std::variant<ConfigEvent, StepEvent, UpdateEvent, ValidationEvent, CheckpointEvent,
                           WarningEvent, EndEvent>;

// Receives events in order. A sink that fails says so; the run goes on and warns once.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status Write(const Event& event) = 0;
};

// {"type":"step",...}: the line of metrics.jsonl for an event, without the newline. Floats are
// written so that they read back to the same value; non-finite numbers become null.
std::string ToJsonLine(const Event& event);

}  // namespace millwright::telemetry
