// A run that is watched: its files, followed, and the processes that work on it for the dashboard.
#pragma once

#include <memory>
#include <string>

#include "app/dashboard/line_tail.h"
#include "app/dashboard/run_process.h"
#include "app/dashboard/terminal/screen.h"
#include "app/dashboard/text_generation.h"
#include "telemetry/metrics_tail.h"
#include "telemetry/run_status.h"

namespace millwright::app::dashboard {

class RunSession {
 public:
  explicit RunSession(const std::string& run_dir);

  // Starts a run in the folder, or goes on with the one in it.
  Status Start(const RunPlan& plan);

  // Takes in what happened since the last time, for a part of a second at most; whether there is
  // more to read at once. Trouble with the files is shown as a message.
  bool Refresh();

  // Each returns what to tell the user.
  std::string StopAndSave();
  std::string Resume();
  std::string Generate();

  const ScreenContent& content() const { return content_; }
  // The process of the run that this session started and that goes on; 0: there is none.
  pid_t own_pid() const { return run_ == nullptr ? 0 : run_->pid(); }

  // Something to tell the user; empty: nothing new.
  std::string TakeNotice();
  // A run of this session ended badly, so that what it printed should be seen; once.
  bool TakeFailure();

 private:
  bool ReadMetrics();
  void WatchRun();
  void WatchGeneration();

  std::string run_dir_;
  telemetry::MetricsTail metrics_;
  LineTail output_;
  telemetry::RunWatch watch_;
  std::unique_ptr<RunProcess> run_;
  std::unique_ptr<TextGeneration> generation_;
  int64_t generation_step_ = 0;
  telemetry::Surroundings surroundings_;
  ScreenContent content_;
  std::string notice_;
  bool failure_ = false;
};

}  // namespace millwright::app::dashboard
