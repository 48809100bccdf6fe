#include "telemetry/phase_split.h"

#include <algorithm>

namespace millwright::telemetry {
namespace {

struct Booking {
  std::string_view phase;
  double PhaseSplit::*part;
};

constexpr std::array kBookings = {
    Booking{"forward", &PhaseSplit::forward},
    Booking{"norm", &PhaseSplit::forward},
    Booking{"backward", &PhaseSplit::backward},
    Booking{"norm_backward", &PhaseSplit::backward},
    Booking{"elementwise", &PhaseSplit::backward},
    Booking{"recompute", &PhaseSplit::backward},
    Booking{"staging_forward", &PhaseSplit::staging},
    Booking{"staging_backward", &PhaseSplit::staging},
    Booking{"dw", &PhaseSplit::dw},
    Booking{"classifier", &PhaseSplit::classifier},
    Booking{"embedding", &PhaseSplit::classifier},
};

constexpr std::array<std::pair<const char*, double PhaseSplit::*>, PhaseSplit::kParts> kParts = {{
    {"forward", &PhaseSplit::forward},
    {"backward", &PhaseSplit::backward},
    {"staging", &PhaseSplit::staging},
    {"dw", &PhaseSplit::dw},
    {"classifier", &PhaseSplit::classifier},
    {"optimizer", &PhaseSplit::optimizer},
    {"other", &PhaseSplit::other},
}};

}  // namespace

std::array<std::pair<const char*, double>, PhaseSplit::kParts> PhaseSplit::parts() const {
  std::array<std::pair<const char*, double>, kParts> result;
  std::ranges::transform(millwright::telemetry::kParts, result.begin(), [this](const auto& part) {
    return std::pair(part.first, this->*part.second);
  });
  return result;
}

double PhaseSplit::total() const {
  double sum = 0;
  for (const auto& [name, ms] : parts()) sum += ms;
  return sum;
}

PhaseSplit SplitPhases(const StepEvent& step, double optimizer_ms) {
  PhaseSplit split;
  double booked = 0;
  for (const auto& [name, ms] : step.phases_ms) {
    const auto* found = std::ranges::find(kBookings, name, &Booking::phase);
    split.*(found == kBookings.end() ? &PhaseSplit::other : found->part) += ms;
    booked += ms;
  }
  split.other += std::max(0.0, step.ms - booked);
  split.optimizer = optimizer_ms;
  return split;
}

PhaseSplit Mix(const PhaseSplit& a, const PhaseSplit& b, double weight) {
  PhaseSplit mixed;
  for (const auto& [name, part] : kParts) mixed.*part = a.*part + weight * (b.*part - a.*part);
  return mixed;
}

}  // namespace millwright::telemetry
