// The learning rate.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace millwright::train {

// Linear warm-up, then cosine decay to a tenth, counted in micro-steps: `micro_step` is the 0-based
// index of the last micro-step of an update.
inline double LearningRate(int64_t micro_step, double max_lr, int64_t warmup, int64_t total) {
  if (micro_step < warmup) {
    return max_lr * static_cast<double>(micro_step + 1) / static_cast<double>(warmup);
  }
  const double min_lr = 0.1 * max_lr;
  if (total <= warmup) return max_lr;
  const double progress =
      static_cast<double>(micro_step - warmup) / static_cast<double>(total - warmup);
  return min_lr + 0.5 * (1.0 + std::cos(std::numbers::pi * progress)) * (max_lr - min_lr);
}

}  // namespace millwright::train
