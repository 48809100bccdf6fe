// What is wrong with a loss curve, step by step.
#pragma once

#include <cstdint>
#include <vector>

#include "telemetry/finding.h"

namespace millwright::telemetry {

// A loss is a spike if it lies above the running mean by more than six standard deviations and more
// than a quarter of the mean. Both are means over about the last fifty steps, in which a spike
// counts no more than the limit that it broke.
class LossWatch {
 public:
  void Add(int64_t step, double loss);
  // Steps from here on are done again.
  void ForgetFrom(int64_t step);

  double smoothed() const { return smoothed_; }  // mean of about the last twenty finite losses
  double best() const { return best_; }          // NaN: none yet
  bool finite() const { return finite_; }        // the last one was

  void AddFindings(std::vector<Finding>& findings) const;

 private:
  struct Spike {
    int64_t step = 0;
    double loss = 0, before = 0;
  };
  double Limit() const;

  double smoothed_ = kUnknown, best_ = kUnknown;
  bool finite_ = true;
  int64_t count_ = 0;
  double mean_ = 0, variance_ = 0;
  int64_t nan_first_ = 0, nan_count_ = 0;
  std::vector<Spike> spikes_;  // the last ones
  bool in_spike_ = false;
};

}  // namespace millwright::telemetry
