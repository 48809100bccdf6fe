// How the time of a token grows with the length of its sequence.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "app/bench_step.h"

namespace millwright::app {

// Steps of one model with sequences of several lengths, the shortest first.
struct SequenceBench {
  std::vector<StepBench> steps;

  // Milliseconds and useful operations a token, as multiples of the shortest sequence's.
  double time_growth(size_t i) const;
  double work_growth(size_t i) const;
  // Of time over that of work, both times taken in units of the FMA rate beside them: above 1, the
  // time of a token grows faster than attention's operations.
  double excess(size_t i) const;
};

// BenchStep with each length of `lengths`, about `seconds` in all.
Result<SequenceBench> BenchSequence(device::Device& device, const model::ModelConfig& config,
                                    int64_t rows, std::span<const int64_t> lengths, double seconds,
                                    const Progress& progress,
                                    std::shared_ptr<const math::GemmTable> gemm_table = nullptr);

std::string ToText(const SequenceBench& bench);
nlohmann::json ToJson(const SequenceBench& bench);

}  // namespace millwright::app
