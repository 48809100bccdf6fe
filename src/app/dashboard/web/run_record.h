// All that the page shows of one run, from its events.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "app/dashboard/web/health_history.h"
#include "app/dashboard/web/histogram_history.h"
#include "app/dashboard/web/step_table.h"
#include "telemetry/event.h"
#include "telemetry/run_status.h"

namespace millwright::app::web {

// A line of the log.
struct LogLine {
  int64_t step = 0;
  std::string kind;  // "start", "validation", "checkpoint", "skipped", "warning", "end"
  std::string text;
};

// Takes a run's events as they come. Of a step that is done again after a resume, and of all that
// followed it, only the new is kept; the log keeps both. Memory is about 60 bytes a step.
class RunRecord {
 public:
  // Only the newest of these are kept.
  static constexpr size_t kMostSamples = 200;
  static constexpr size_t kMostLogLines = 1000;

  void Add(const telemetry::Event& event);

  // How often something that was shown became wrong: steps were taken back.
  int64_t rewinds() const { return rewinds_; }
  // Count up with what was added; for noticing that there is something new.
  int64_t samples_seen() const { return samples_seen_; }
  int64_t log_seen() const { return log_seen_; }

  // By micro-step: loss, lr, ms, tokens_per_s, floor_share and phase.<part>.
  const StepTable& steps() const { return steps_; }
  // grad_norm, loss_scale, optimizer_ms, norm.<group>.
  const StepTable& updates() const { return updates_; }
  const StepTable& validations() const { return validations_; }  // val_loss
  // rss_bytes, process_cpu, machine_cpu, watts.<part>.
  const StepTable& system() const { return system_; }
  const HealthHistory& health() const { return health_; }
  const HistogramHistory& histograms() const { return histograms_; }
  const std::optional<telemetry::KernelsEvent>& kernels() const { return kernels_; }
  const std::deque<telemetry::SampleEvent>& samples() const { return samples_; }
  const std::deque<LogLine>& log() const { return log_; }
  const telemetry::RunWatch& watch() const { return watch_; }

 private:
  void Take(const telemetry::ConfigEvent& event);
  void Take(const telemetry::StepEvent& event);
  void Take(const telemetry::UpdateEvent& event);
  void Take(const telemetry::ValidationEvent& event);
  void Take(const telemetry::SampleEvent& event);
  void Take(const telemetry::CheckpointEvent& event);
  void Take(const telemetry::WarningEvent& event);
  void Take(const telemetry::TensorsEvent& event);
  void Take(const telemetry::KernelsEvent& event) { kernels_ = event; }
  void Take(const telemetry::SystemEvent& event);
  void Take(const telemetry::EndEvent& event);

  void CutFrom(int64_t step);
  void Log(int64_t step, std::string kind, std::string text);

  StepTable steps_, updates_, validations_, system_;
  HealthHistory health_;
  HistogramHistory histograms_;
  std::optional<telemetry::KernelsEvent> kernels_;
  std::deque<telemetry::SampleEvent> samples_;
  std::deque<LogLine> log_;
  telemetry::RunWatch watch_;
  int64_t rewinds_ = 0, samples_seen_ = 0, log_seen_ = 0;
  double optimizer_ms_ = 0;  // of the last update, for each of its micro-steps
};

}  // namespace millwright::app::web
