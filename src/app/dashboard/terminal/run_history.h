// What the terminal shows of a run's past, taken from its events one by one.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "app/dashboard/terminal/cell_grid.h"
#include "app/dashboard/terminal/chart.h"
#include "app/dashboard/web/step_table.h"
#include "telemetry/event.h"

namespace millwright::app::dashboard {

struct LogLine {
  Ink ink = Ink::kText;
  std::string text;
};

// The model and the settings, in words.
struct RunTitle {
  std::string model;     // "Stories nano"; empty: not known yet
  std::string network;   // "4.5M parameters, 5 layers, dim 256, ..."
  std::string settings;  // "batch 1, accum 10, lr 3e-4, ..."
};

class RunHistory {
 public:
  void Add(const telemetry::Event& event);
  // Text that was made now, with the state of a step, and is in no file.
  void AddSample(const telemetry::SampleEvent& sample);
  void AddLog(Ink ink, std::string text);

  const RunTitle& title() const { return title_; }
  // "loss", "smooth" (mean of about the last twenty), "lr", "ms", "tokens_per_s".
  const web::StepTable& steps() const { return steps_; }
  const web::StepTable& updates() const { return updates_; }  // "grad_norm"
  const web::StepTable& system() const { return system_; }    // "rss_mb", "cores", "watts"
  const std::vector<ChartPoint>& validations() const { return validations_; }
  const std::deque<telemetry::SampleEvent>& samples() const { return samples_; }  // newest last
  const std::deque<LogLine>& log() const { return log_; }                         // newest last

 private:
  void Take(const telemetry::ConfigEvent& event);
  void Take(const telemetry::StepEvent& event);
  void Take(const telemetry::UpdateEvent& event);
  void Take(const telemetry::ValidationEvent& event);
  void Take(const telemetry::SampleEvent& event) { AddSample(event); }
  void Take(const telemetry::CheckpointEvent& event);
  void Take(const telemetry::WarningEvent& event);
  void Take(const telemetry::SystemEvent& event);
  void Take(const telemetry::EndEvent& event);
  void Take(const telemetry::TensorsEvent&) {}
  void Take(const telemetry::KernelsEvent&) {}

  RunTitle title_;
  web::StepTable steps_, updates_, system_;
  std::vector<ChartPoint> validations_;
  std::deque<telemetry::SampleEvent> samples_;
  std::deque<LogLine> log_;
};

// Watts of the whole: packages with memory, or the parts that macOS tells of. 0: none are known.
double TotalWatts(const telemetry::SystemEvent& event);

}  // namespace millwright::app::dashboard
