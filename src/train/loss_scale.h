// The factor that keeps fp16 gradients away from underflow.
#pragma once

#include <algorithm>
#include <cstdint>

namespace millwright::train {

// Halves at every update with non-finite gradients, which is skipped; never falls below 1. A fixed
// scale is not raised again: it was chosen for the device, and an overflow is rare. A dynamic one
// doubles after kGrowthUpdates updates in a row with finite gradients, so that it stays just below
// where sums overflow. Source: Micikevicius et al., "Mixed Precision Training", 2018, section 3.2;
// the interval is shorter than the field's 2000, because a wrong scale costs an ANE more.
class LossScale {
 public:
  static constexpr int64_t kGrowthUpdates = 200;
  static constexpr double kLargest = 0x1p24;  // doubling ends where fp32 gradients are safe

  explicit LossScale(double value, bool dynamic = false, int64_t good_updates = 0)
      : value_(value), dynamic_(dynamic), good_updates_(good_updates) {}

  double value() const { return value_; }
  // Updates with finite gradients since the scale last changed; 0 where it is fixed.
  int64_t good_updates() const { return good_updates_; }

  // To be called once an update.
  void Adjust(bool finite) {
    if (!finite) {
      value_ = std::max(1.0, value_ / 2);
      good_updates_ = 0;
    } else if (dynamic_ && ++good_updates_ == kGrowthUpdates) {
      value_ = std::min(kLargest, value_ * 2);
      good_updates_ = 0;
    }
  }

 private:
  double value_;
  bool dynamic_;
  int64_t good_updates_;
};

}  // namespace millwright::train
