#include "app/dashboard/terminal/run_session.h"

#include <csignal>
#include <utility>

#include "base/clock.h"

namespace millwright::app::dashboard {
namespace {

constexpr double kLongestReadMs = 150;

bool GoesOn(telemetry::RunState state) {
  return state == telemetry::RunState::kStarting || state == telemetry::RunState::kRunning ||
         state == telemetry::RunState::kStalled;
}

}  // namespace

RunSession::RunSession(const std::string& run_dir)
    : run_dir_(run_dir),
      metrics_(run_dir + "/metrics.jsonl", size_t{1} << 20),
      output_(run_dir + "/" + kTrainLog) {
  content_.run_dir = run_dir;
}

Status RunSession::Start(const RunPlan& plan) {
  auto run = RunProcess::Start(plan);
  if (!run) return run.error();
  run_ = *std::move(run);
  content_.own_run = true;
  content_.stopping = false;
  return {};
}

// In parts, so that a long file does not keep the keys waiting.
bool RunSession::ReadMetrics() {
  const Stopwatch watch;
  for (;;) {
    auto news = metrics_.Poll();
    if (!news) {
      notice_ = news.error().message;
      return false;
    }
    if (news->restarted) {
      watch_ = {};
      content_.history = {};
    }
    for (const telemetry::Event& event : news->events) {
      watch_.Add(event);
      content_.history.Add(event);
    }
    if (!news->more) return false;
    if (watch.ms() > kLongestReadMs) return true;
  }
}

void RunSession::WatchRun() {
  if (run_ == nullptr) return;
  if (output_.Poll()) content_.output = output_.lines();
  const auto end = run_->Poll();
  if (!end) return;
  // It may have written after the last look.
  if (output_.Poll()) content_.output = output_.lines();
  constexpr int kInterrupted = 130;
  const bool well = end->signal == 0 && (end->exit_code == 0 || end->exit_code == kInterrupted);
  if (!well) {
    failure_ = true;
    notice_ = fmt::format("training ended with {}; the log shows what it printed", end->ToString());
  } else if (end->exit_code == kInterrupted) {
    notice_ = "stopped and saved; r goes on";
  } else {
    notice_ = "training is done";
  }
  run_.reset();
  content_.own_run = content_.stopping = false;
}

void RunSession::WatchGeneration() {
  if (generation_ == nullptr) return;
  auto result = generation_->Poll();
  if (!result) return;
  if (*result) {
    content_.history.AddSample({.step = generation_step_, .prompt = "", .text = **result});
  } else {
    notice_ = result->error().message;
    content_.history.AddLog(Ink::kWarning, notice_);
  }
  generation_.reset();
  content_.generating = false;
}

bool RunSession::Refresh() {
  const bool more = ReadMetrics();
  WatchRun();
  if (output_.Poll()) content_.output = output_.lines();
  WatchGeneration();
  surroundings_ = telemetry::LookAround(run_dir_, watch_.config());
  content_.status = watch_.Assess(surroundings_);
  if (run_ == nullptr && !GoesOn(content_.status.state)) content_.stopping = false;
  return more;
}

std::string RunSession::StopAndSave() {
  if (run_ != nullptr) {
    run_->StopAndSave();
    content_.stopping = true;
    return "stopping after this step; the state is being saved";
  }
  const telemetry::ConfigEvent* config = watch_.config();
  if (config == nullptr || !GoesOn(content_.status.state)) return "no run goes on here";
  if (!surroundings_.process_lives.value_or(false)) {
    return fmt::format("the run's process is not on this machine but on {}", config->host);
  }
  if (std::exchange(content_.stopping, true)) return "it was asked to stop already";
  if (::kill(static_cast<pid_t>(config->pid), SIGINT) != 0) {
    content_.stopping = false;
    return fmt::format("process {} is another user's", config->pid);
  }
  return fmt::format("asked process {} to save its state and stop", config->pid);
}

std::string RunSession::Resume() {
  if (run_ != nullptr) return "the run goes on already";
  if (surroundings_.process_lives.value_or(false) && GoesOn(content_.status.state)) {
    return fmt::format("the run goes on already, as process {}", watch_.config()->pid);
  }
  if (content_.status.state == telemetry::RunState::kDone) {
    return "the run is done; train --resume with a larger --steps extends it";
  }
  if (!surroundings_.exists) return "there is no run here to resume";
  auto status = Start(RunPlan::Resume(run_dir_));
  return status ? "resuming from the last state" : status.error().message;
}

std::string RunSession::Generate() {
  if (generation_ != nullptr) return "a text is being generated already";
  auto started = TextGeneration::Start(run_dir_);
  if (!started) return started.error().message;
  generation_ = *std::move(started);
  const auto& checkpoint = content_.status.last_checkpoint;
  generation_step_ = checkpoint ? checkpoint->step : content_.status.step;
  content_.generating = true;
  return "generating with the last saved state";
}

std::string RunSession::TakeNotice() { return std::exchange(notice_, ""); }

bool RunSession::TakeFailure() { return std::exchange(failure_, false); }

}  // namespace millwright::app::dashboard
