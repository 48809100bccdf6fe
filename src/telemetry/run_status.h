// How a run is doing, in words and in the figures that a glance wants. Computed from its events and
// a clock; the dashboards and the report show it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/event.h"
#include "telemetry/finding.h"
#include "telemetry/loss_watch.h"
#include "telemetry/phase_split.h"
#include "telemetry/surroundings.h"

namespace millwright::telemetry {

enum class RunState : uint8_t {
  kStarting,  // no micro-step yet
  kRunning,
  kStalled,  // no line for much longer than a step takes
  kCutOff,   // its process is gone, without a word
  kDone,
  kInterrupted,  // stopped and saved
  kFailed,
};
std::string_view RunStateName(RunState state);  // "starting", "running", "stalled", "cut off", ...

struct RunStatus {
  RunState state = RunState::kStarting;
  std::string headline;           // one line: "step 340 of 10000, 2h10m left"
  std::vector<Finding> findings;  // the worst first, then the newest

  int64_t step = 0;                    // micro-steps done
  int64_t steps = 0;                   // in all; 0: not known
  double progress = 0;                 // step / steps
  double seconds_run = 0;              // of all starts together, without the time between them
  std::optional<double> seconds_left;  // while it runs

  double loss = kUnknown;           // of the last micro-step
  double smoothed_loss = kUnknown;  // mean of about the last twenty
  double best_loss = kUnknown;
  double ms_per_step = kUnknown;  // mean of about the last twenty, and so is the rest
  double tokens_per_s = kUnknown;
  double floor_share = kUnknown;  // of the time, see StepEvent
  PhaseSplit phases;

  std::optional<StepEvent> last_step;
  std::optional<UpdateEvent> last_update;
  std::optional<ValidationEvent> last_validation, best_validation;
  std::optional<SampleEvent> last_sample;
  std::optional<CheckpointEvent> last_checkpoint;
  std::optional<SystemEvent> last_system;
};

// Takes a run's events as they come, in little memory, and says how it is doing. Begin with a new
// one when the tail restarts.
class RunWatch {
 public:
  void Add(const Event& event);
  RunStatus Assess(const Surroundings& surroundings) const;

  // The event that the latest start began with; null: none yet. For LookAround.
  const ConfigEvent* config() const { return config_ ? &*config_ : nullptr; }

 private:
  void Take(const ConfigEvent& event);
  void Take(const StepEvent& event);
  void Take(const UpdateEvent& event);
  void Take(const ValidationEvent& event);
  void Take(const SampleEvent& event) { figures_.last_sample = event; }
  void Take(const CheckpointEvent& event);
  void Take(const WarningEvent& event);
  void Take(const TensorsEvent& event);
  void Take(const KernelsEvent&) {}
  void Take(const SystemEvent& event) { figures_.last_system = event; }
  void Take(const EndEvent& event) { end_ = event; }

  void Average(const StepEvent& event);
  double SecondsOfThisStart() const;
  double SecondsAStep() const;
  double Silence(const Surroundings& surroundings) const;
  double SilenceAllowed() const;
  RunState StateIn(const Surroundings& surroundings) const;
  std::string Headline(const RunStatus& status, const Surroundings& surroundings) const;
  void FindInState(const Surroundings& surroundings, RunStatus& status) const;
  void FindInEvents(RunStatus& status) const;
  int64_t Setting(const char* name, int64_t absent) const;
  bool Due(const char* every) const;

  RunStatus figures_;  // without what Assess adds
  std::optional<ConfigEvent> config_;
  std::optional<EndEvent> end_;
  LossWatch losses_;
  std::deque<double> step_ends_;  // clock times of the last steps of this start
  double longest_gap_s_ = 0;      // between two steps of this start
  double longest_checkpoint_s_ = 0;
  double earlier_starts_s_ = 0;
  double optimizer_ms_ = 0;  // of the last update, for each of its micro-steps
  int64_t last_update_step_ = 0;
  int64_t averaged_ = 0;
  int64_t updates_ = 0, skipped_ = 0, last_skipped_ = 0;
  int64_t worse_validations_ = 0;  // since the best one
  std::optional<WarningEvent> warning_;
  std::vector<std::string> sick_tensors_;  // with elements that are not finite, lately
  int64_t sick_step_ = 0;
};

}  // namespace millwright::telemetry
