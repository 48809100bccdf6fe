// What happens in a run, as typed events. Everything that watches a run reads these and nothing
// else. The JSON of each is in docs/formats.md.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace millwright::telemetry {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// The beginning of a run, or of its continuation by another process.
struct ConfigEvent {
  nlohmann::json settings;  // all of run.json
  double time = 0;          // seconds since 1970; 0: not known
  int64_t first_step = 0;   // micro-steps that were done before
  int64_t pid = 0;          // of the process on `host`; 0: not known
  std::string host;
  nlohmann::json machine;  // "cpu", "cores", "memory_bytes", "fma_gflops", "floor_ms"; may be null
};
// One micro-step, numbered from 1. Only step events have both `step` and `loss` in the JSON.
struct StepEvent {
  int64_t step = 0;
  float loss = 0;
  double lr = 0;
  double ms = 0;
  double tokens_per_s = 0;
  std::map<std::string, double> phases_ms;  // forward, backward, dw, ...: see phase_split.h
  // For the printed lines only, every tenth step: "x_min", "dy_max", "dq_norm", ... Not in the
  // JSON.
  std::map<std::string, double> diagnostics;
  double time = 0;                    // seconds since 1970; 0: not known
  std::optional<double> floor_share;  // the machine's FMA rate would take this share of `ms`
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
// Text that the weights of this step made.
struct SampleEvent {
  int64_t step = 0;
  std::string prompt;
  std::string text;  // what follows the prompt
  int64_t tokens = 0;
  double ms = 0;
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

// How many of a tensor's elements lie in each of equal parts of [low, high]. Large tensors are
// sampled at even distances.
struct Histogram {
  double low = 0, high = 0;
  std::vector<int64_t> counts;
};
// The elements of a weight, or of its gradient (as the update saw it, before clipping).
struct TensorSummary {
  double norm = 0;         // of the finite elements
  double largest = 0;      // magnitude among them
  double zeros = 0;        // share of the elements that are zero
  int64_t not_finite = 0;  // elements
  Histogram histogram;     // without counts: none was made
};
struct TensorHealth {
  std::string name;   // Hugging Face's
  int64_t layer = 0;  // -1: of none
  int64_t elements = 0;
  TensorSummary weight;
  std::optional<TensorSummary> gradient;  // absent of a frozen tensor
};
// Every so many updates, and when gradients are not finite.
struct TensorsEvent {
  int64_t step = 0;
  std::vector<TensorHealth> tensors;
};

struct KernelLoad {
  std::string name;  // a kernel, or a host step: "dW", "classifier", ...
  int64_t launches = 0;
  double ms = 0;           // of all launches
  double gflop_per_s = 0;  // 0: no products
  double share = 0;        // of the time of the steps
};
// Where the time of the last micro-steps went.
struct KernelsEvent {
  int64_t step = 0;
  int64_t steps = 0;  // micro-steps that are counted, the last of them `step`
  double ms = 0;      // of these
  std::vector<KernelLoad> kernels;
};

// The process and the machine, about once a second. kUnknown where the system does not tell.
struct SystemEvent {
  int64_t step = 0;
  double time = 0;                      // seconds since 1970
  int64_t rss_bytes = 0;                // resident memory of the process; 0: not known
  int64_t peak_rss_bytes = 0;           // its largest
  double process_cpu = kUnknown;        // cores that the process kept busy since the last event
  double machine_cpu = kUnknown;        // share of all cores that anything kept busy
  std::map<std::string, double> watts;  // "package-0", "dram", "cpu", "gpu", "ane"; may be empty
};

// What a run's programs cost, over all processes that it went on in.
struct ProgramCosts {
  int64_t processes = 1;
  int64_t programs = 0;  // compiled
  double compile_ms = 0;
  int64_t steps = 0;     // micro-steps, to which the rest belongs
  int64_t launches = 0;  // of kernels
  // Operands copied between host memory and the device, weights apart, and their bytes there; and
  // those that came from another kernel without passing through the host.
  int64_t copies = 0;
  int64_t copied_bytes = 0;
  int64_t handed_on = 0;
};

struct EndEvent {
  int64_t step = 0;
  std::string reason;  // "done", "interrupted", "failed"
  double wall_s = 0;
  std::string message;      // why it failed; else empty
  double time = 0;          // seconds since 1970; 0: not known
  double telemetry_ms = 0;  // that all of these events took
  std::optional<ProgramCosts> costs;
};

using Event =
    std::variant<ConfigEvent, StepEvent, UpdateEvent, ValidationEvent, SampleEvent, CheckpointEvent,
                 WarningEvent, TensorsEvent, KernelsEvent, SystemEvent, EndEvent>;

// Receives events in order. A sink that fails says so; the run goes on and warns once.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status Write(const Event& event) = 0;
};

// {"type":"step",...}: the line of metrics.jsonl for an event, without the newline. Floats are
// written so that they read back to the same value, those of tensors with six digits; non-finite
// numbers become null.
std::string ToJsonLine(const Event& event);

// One line, without its newline. null numbers read as NaN; fields of later versions are ignored,
// those that earlier ones did not write are optional. Bad input, by reason, for anything else.
Result<Event> ParseJsonLine(std::string_view line);

}  // namespace millwright::telemetry
