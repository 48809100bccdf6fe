// A training process that a dashboard starts, stops and goes on with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/dashboard/child_process.h"
#include "base/result.h"

namespace millwright::app::dashboard {

// What its training printed, beside the run's files. Begun anew by a run from scratch.
inline constexpr const char* kTrainLog = "train.log";

// What to start: "train ARGUMENTS", which trains in `run_dir`.
struct RunPlan {
  std::string run_dir;
  std::vector<std::string> arguments;  // the flags of train, --out among them

  // The plan that goes on with the run in `run_dir`.
  static RunPlan Resume(const std::string& run_dir);
};

// Goes on when the object is gone, as it would without a dashboard.
class RunProcess {
 public:
  // Starts it with this binary, or with the one that is named. Fails if the run folder or its
  // train.log cannot be written.
  static Result<std::unique_ptr<RunProcess>> Start(const RunPlan& plan,
                                                   const std::string& binary = "");

  pid_t pid() const { return child_.pid(); }
  const std::string& log_path() const { return log_path_; }

  // How it ended; nullopt while it runs. A run that was refused leaves nothing behind, as with
  // train itself: the folder is removed if it was made for the log and holds nothing else.
  const std::optional<ProcessEnd>& Poll();
  const std::optional<ProcessEnd>& WaitFor(double seconds);

  // Asks it once to finish its step, save its state and end; again does nothing, since a second
  // signal would end it without saving.
  void StopAndSave();
  bool stopping() const { return stopping_; }

 private:
  RunProcess(ChildProcess child, std::string run_dir, std::string log_path, bool made_folder);
  void RemoveTraces();

  ChildProcess child_;
  std::string run_dir_, log_path_;
  bool made_folder_;
  bool stopping_ = false;
};

}  // namespace millwright::app::dashboard
