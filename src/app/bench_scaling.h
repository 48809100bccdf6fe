// What a second thread is worth, to a training step and to bare arithmetic.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "app/bench_measure.h"
#include "base/result.h"
#include "device/device.h"
#include "math/gemm_table.h"
#include "model/config.h"

namespace millwright::app {

// Forward and backward with some number of threads.
struct ScalingPoint {
  int threads = 0;
  Samples step;   // milliseconds
  Samples rate;   // GFLOP/s: the FMA rate right before and after each, on as many threads
  Samples share;  // the micro-step's rate as a share of it
};

struct ScalingBench {
  std::string model;
  int64_t rows = 0;  // of the embedding in memory
  ScalingPoint one, all;

  double step_ratio() const { return one.step.median() / all.step.median(); }
  double fma_ratio() const { return all.rate.median() / one.rate.median(); }
  // How much of what arithmetic gains a step gains, from shares taken side by side.
  double efficiency() const { return all.share.median() / one.share.median(); }
};

// Micro-steps with one thread and with those of the process in turns, about `seconds` in all. Bad
// input if the process has one.
Result<ScalingBench> BenchScaling(device::Device& device, const model::ModelConfig& config,
                                  int64_t rows, double seconds, const Progress& progress,
                                  std::shared_ptr<const math::GemmTable> gemm_table = nullptr);

std::string ToText(const ScalingBench& bench);
nlohmann::json ToJson(const ScalingBench& bench);

}  // namespace millwright::app
