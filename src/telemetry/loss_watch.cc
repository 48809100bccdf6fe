#include "telemetry/loss_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace millwright::telemetry {
namespace {

constexpr int64_t kSettled = 20;  // losses before which none is a spike
constexpr double kWindow = 50, kSmoothing = 20;
constexpr double kDeviations = 6, kPart = 0.25;
constexpr size_t kKept = 5;

}  // namespace

double LossWatch::Limit() const {
  return mean_ + std::max(kDeviations * std::sqrt(variance_), kPart * std::abs(mean_));
}

void LossWatch::Add(int64_t step, double loss) {
  finite_ = std::isfinite(loss);
  if (!finite_) {
    if (nan_count_++ == 0) nan_first_ = step;
    return;
  }
  if (!(loss >= best_)) best_ = loss;
  smoothed_ = std::isnan(smoothed_) ? loss : smoothed_ + (loss - smoothed_) / kSmoothing;
  const bool above = count_ >= kSettled && loss > Limit();
  if (above && !in_spike_) {
    if (spikes_.size() == kKept) spikes_.erase(spikes_.begin());
    spikes_.push_back({step, loss, mean_});
  }
  in_spike_ = above;
  const double counted = above ? Limit() : loss;
  const double weight = 1 / std::min(static_cast<double>(++count_), kWindow);
  const double off = counted - mean_;
  mean_ += weight * off;
  variance_ = (1 - weight) * (variance_ + weight * off * off);
}

void LossWatch::ForgetFrom(int64_t step) {
  if (nan_count_ > 0 && nan_first_ >= step) nan_count_ = 0;
  std::erase_if(spikes_, [step](const Spike& spike) { return spike.step >= step; });
}

void LossWatch::AddFindings(std::vector<Finding>& findings) const {
  if (nan_count_ > 0) {
    std::string text = fmt::format("loss is NaN or infinite at step {}", nan_first_);
    if (nan_count_ > 1) text += fmt::format(", and at {} later ones", nan_count_ - 1);
    findings.push_back({Severity::kAlarm, nan_first_, std::move(text)});
  }
  for (const Spike& spike : spikes_) {
    findings.push_back({Severity::kWarning, spike.step,
                        fmt::format("loss spike: {:.4f} at step {}, {:.4f} before", spike.loss,
                                    spike.step, spike.before)});
  }
}

}  // namespace millwright::telemetry
