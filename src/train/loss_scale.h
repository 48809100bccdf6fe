// The factor that keeps fp16 gradients away from underflow.
#pragma once

#include <algorithm>

namespace millwright::train {

// Halves at every update with non-finite gradients, which is skipped; never falls below 1. It is
// not raised again: the default is chosen for the device and an overflow is rare.
class LossScale {
 public:
  explicit LossScale(double value) : value_(value) {}
  double value() const { return value_; }
  void Halve() { value_ = std::max(1.0, value_ / 2); }

 private:
  double value_;
};

}  // namespace millwright::train
