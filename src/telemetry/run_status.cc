#include "telemetry/run_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/readable_bytes.h"
#include "telemetry/duration.h"

namespace millwright::telemetry {
namespace {

constexpr double kAveraged = 20;       // steps in a mean
constexpr size_t kTimedSteps = 50;     // in the rate that the time left is taken from
constexpr double kShortestStall = 10;  // seconds
constexpr uint64_t kDiskFull = uint64_t{64} << 20, kDiskLow = uint64_t{1} << 30;

// Moves a mean, whose first value counts as a whole.
void Move(double& mean, double value, double weight) {
  mean = std::isnan(mean) ? value : mean + weight * (value - mean);
}

bool SaysDiskFull(const std::string& message) {
  return message.find("No space left") != std::string::npos ||
         message.find("disk quota") != std::string::npos ||
         message.find("of disk,") != std::string::npos;
}

}  // namespace

std::string_view RunStateName(RunState state) {
  static constexpr std::string_view kNames[] = {"starting", "running",     "stalled", "cut off",
                                                "done",     "interrupted", "failed"};
  return kNames[static_cast<size_t>(state)];
}

void RunWatch::Add(const Event& event) {
  std::visit([this](const auto& one) { Take(one); }, event);
}

int64_t RunWatch::Setting(const char* name, int64_t absent) const {
  if (!config_ || !config_->settings.is_object()) return absent;
  const auto settings = config_->settings.find("settings");
  if (settings == config_->settings.end() || !settings->is_object()) return absent;
  const auto value = settings->find(name);
  return value != settings->end() && value->is_number() ? value->get<int64_t>() : absent;
}

void RunWatch::Take(const ConfigEvent& event) {
  earlier_starts_s_ += SecondsOfThisStart();
  config_ = event;
  end_.reset();
  step_ends_.clear();
  longest_gap_s_ = 0;
  losses_.ForgetFrom(event.first_step + 1);
  figures_.step = event.first_step;
  figures_.steps = Setting("steps", 0);
  warning_.reset();
}

void RunWatch::Take(const StepEvent& event) {
  if (figures_.last_step && event.step <= figures_.last_step->step) losses_.ForgetFrom(event.step);
  end_.reset();
  losses_.Add(event.step, event.loss);
  if (event.time > 0) {
    if (!step_ends_.empty()) {
      longest_gap_s_ = std::max(longest_gap_s_, event.time - step_ends_.back());
    }
    step_ends_.push_back(event.time);
    if (step_ends_.size() > kTimedSteps) step_ends_.pop_front();
  }
  Average(event);
  figures_.step = event.step;
  figures_.loss = event.loss;
  figures_.last_step = event;
}

void RunWatch::Average(const StepEvent& event) {
  const double weight = 1 / std::min(static_cast<double>(++averaged_), kAveraged);
  Move(figures_.ms_per_step, event.ms, weight);
  Move(figures_.tokens_per_s, event.tokens_per_s, weight);
  if (event.floor_share) Move(figures_.floor_share, *event.floor_share, weight);
  figures_.phases = Mix(figures_.phases, SplitPhases(event, optimizer_ms_), weight);
}

void RunWatch::Take(const UpdateEvent& event) {
  const int64_t micro_steps = event.step - last_update_step_;
  if (micro_steps > 0) optimizer_ms_ = event.ms / static_cast<double>(micro_steps);
  last_update_step_ = event.step;
  ++updates_;
  if (event.skipped) {
    ++skipped_;
    last_skipped_ = event.step;
  }
  figures_.last_update = event;
}

void RunWatch::Take(const ValidationEvent& event) {
  figures_.last_validation = event;
  if (!figures_.best_validation || event.val_loss < figures_.best_validation->val_loss) {
    figures_.best_validation = event;
    worse_validations_ = 0;
  } else if (event.step > figures_.best_validation->step) {
    ++worse_validations_;
  }
}

void RunWatch::Take(const CheckpointEvent& event) {
  figures_.last_checkpoint = event;
  longest_checkpoint_s_ = std::max(longest_checkpoint_s_, event.ms / 1000);
}

void RunWatch::Take(const WarningEvent& event) { warning_ = event; }

void RunWatch::Take(const TensorsEvent& event) {
  sick_tensors_.clear();
  sick_step_ = event.step;
  for (const TensorHealth& tensor : event.tensors) {
    const int64_t sick =
        tensor.weight.not_finite + (tensor.gradient ? tensor.gradient->not_finite : 0);
    if (sick > 0) sick_tensors_.push_back(tensor.name);
  }
}

// Of the present start, up to its last word.
double RunWatch::SecondsOfThisStart() const {
  if (end_) return end_->wall_s;
  if (!config_ || config_->time == 0 || step_ends_.empty()) return 0;
  return std::max(0.0, step_ends_.back() - config_->time);
}

// With everything that happens between steps; 0 where nothing is known.
double RunWatch::SecondsAStep() const {
  if (step_ends_.size() >= 2) {
    const double span = step_ends_.back() - step_ends_.front();
    return std::max(0.0, span / static_cast<double>(step_ends_.size() - 1));
  }
  return std::isnan(figures_.ms_per_step) ? 0 : figures_.ms_per_step / 1000;
}

double RunWatch::Silence(const Surroundings& surroundings) const {
  double last = config_ ? config_->time : 0;
  if (!step_ends_.empty()) last = std::max(last, step_ends_.back());
  if (surroundings.last_write) last = std::max(last, *surroundings.last_write);
  return last > 0 ? surroundings.now - last : 0;
}

// Whether something that happens every so many micro-steps does so after the last one.
bool RunWatch::Due(const char* every) const {
  const int64_t interval = Setting(every, 0), accum = std::max<int64_t>(1, Setting("accum", 1));
  if (interval <= 0) return false;
  return figures_.step % interval < accum || figures_.step == figures_.steps;
}

double RunWatch::SilenceAllowed() const {
  const double step = std::isnan(figures_.ms_per_step) ? 0 : figures_.ms_per_step / 1000;
  double allowed = std::max({kShortestStall, 10 * step, 3 * longest_gap_s_});
  if (Due("val-every")) allowed += step * static_cast<double>(Setting("val-windows", 0));
  if (Due("save-every")) allowed += 30 + 3 * longest_checkpoint_s_;
  if (Due("sample-every")) allowed += 60;
  return allowed;
}

RunState RunWatch::StateIn(const Surroundings& surroundings) const {
  if (end_) {
    if (end_->reason == "done") return RunState::kDone;
    return end_->reason == "interrupted" ? RunState::kInterrupted : RunState::kFailed;
  }
  if (!config_ && !figures_.last_step) return RunState::kStarting;
  if (surroundings.process_lives && !*surroundings.process_lives) return RunState::kCutOff;
  const bool stepped = config_ ? !step_ends_.empty() || figures_.step > config_->first_step : true;
  if (!stepped) return RunState::kStarting;
  return Silence(surroundings) > SilenceAllowed() ? RunState::kStalled : RunState::kRunning;
}

std::string RunWatch::Headline(const RunStatus& status, const Surroundings& surroundings) const {
  switch (status.state) {
    case RunState::kStarting:
      if (!surroundings.exists) return "no run here yet";
      return config_ ? fmt::format("starting since {}", ReadableDuration(Silence(surroundings)))
                     : "waiting for the first line";
    case RunState::kRunning:
      return fmt::format("step {} of {}{}", status.step, status.steps,
                         status.seconds_left
                             ? fmt::format(", {} left", ReadableDuration(*status.seconds_left))
                             : "");
    case RunState::kStalled:
      return fmt::format("stalled: no line for {} while a step takes {}",
                         ReadableDuration(Silence(surroundings)),
                         ReadableDuration(figures_.ms_per_step / 1000));
    case RunState::kCutOff:
      return fmt::format("cut off after step {}: process {} is gone; {}", status.step, config_->pid,
                         figures_.last_checkpoint ? fmt::format("--resume goes on from step {}",
                                                                figures_.last_checkpoint->step)
                                                  : "nothing was saved");
    case RunState::kDone:
      return fmt::format("run ended: done, {} steps in {}", status.step,
                         ReadableDuration(status.seconds_run));
    case RunState::kInterrupted:
      return fmt::format("run ended: interrupted after step {}, saved; --resume goes on",
                         status.step);
    case RunState::kFailed:
      return fmt::format("run ended: failed after step {}{}{}", status.step,
                         end_->message.empty() ? "" : ": ", end_->message);
  }
  return "";
}

// Of the process and the disk.
void RunWatch::FindInState(const Surroundings& surroundings, RunStatus& status) const {
  const bool wrong = status.state == RunState::kStalled || status.state == RunState::kCutOff ||
                     status.state == RunState::kFailed;
  const bool full = end_ && SaysDiskFull(end_->message);
  if (full) {
    status.findings.push_back({Severity::kAlarm, status.step, "disk full: " + end_->message});
  } else if (wrong) {
    status.findings.push_back({Severity::kAlarm, status.step, status.headline});
  } else if (end_) {
    status.findings.push_back({Severity::kNote, status.step, status.headline});
  }
  if (full || !surroundings.free_bytes || *surroundings.free_bytes >= kDiskLow) return;
  const bool none = *surroundings.free_bytes < kDiskFull;
  status.findings.push_back({none ? Severity::kAlarm : Severity::kWarning, 0,
                             fmt::format("{}: {} are free where the run folder lies",
                                         none ? "disk full" : "disk nearly full",
                                         ReadableBytes(*surroundings.free_bytes))});
}

void RunWatch::FindInEvents(RunStatus& status) const {
  losses_.AddFindings(status.findings);
  if (skipped_ > 0) {
    status.findings.push_back(
        {Severity::kWarning, last_skipped_,
         fmt::format("{} of {} updates skipped, gradients were not finite; the last at step {}",
                     skipped_, updates_, last_skipped_)});
  }
  if (!sick_tensors_.empty()) {
    status.findings.push_back(
        {Severity::kAlarm, sick_step_,
         fmt::format("NaN or infinite elements at step {} in {}{}", sick_step_,
                     sick_tensors_.front(),
                     sick_tensors_.size() > 1
                         ? fmt::format(" and {} other tensors", sick_tensors_.size() - 1)
                         : "")});
  }
  if (worse_validations_ >= 5) {
    status.findings.push_back(
        {Severity::kWarning, status.last_validation->step,
         fmt::format("validation loss is no better for {} validations: {:.4f}, best {:.4f} at step "
                     "{}",
                     worse_validations_, status.last_validation->val_loss,
                     status.best_validation->val_loss, status.best_validation->step)});
  }
  // Each skipped update has its warning, too.
  if (warning_ && warning_->step != last_skipped_) {
    status.findings.push_back({Severity::kWarning, warning_->step, warning_->message});
  }
}

RunStatus RunWatch::Assess(const Surroundings& surroundings) const {
  RunStatus status = figures_;
  status.smoothed_loss = losses_.smoothed();
  status.best_loss = losses_.best();
  status.seconds_run = earlier_starts_s_ + SecondsOfThisStart();
  if (status.steps > 0) {
    status.progress =
        std::clamp(static_cast<double>(status.step) / static_cast<double>(status.steps), 0.0, 1.0);
  }
  status.state = StateIn(surroundings);
  if (status.state == RunState::kRunning && status.steps >= status.step && SecondsAStep() > 0) {
    status.seconds_left = static_cast<double>(status.steps - status.step) * SecondsAStep();
  }
  status.headline = Headline(status, surroundings);
  FindInState(surroundings, status);
  FindInEvents(status);
  std::ranges::stable_sort(status.findings, [](const Finding& a, const Finding& b) {
    return a.severity != b.severity ? a.severity > b.severity : a.step > b.step;
  });
  return status;
}

}  // namespace millwright::telemetry
