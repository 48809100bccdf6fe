// A training step against the ceiling of the machine it runs on.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/bench_measure.h"
#include "app/bench_network.h"
#include "base/result.h"
#include "device/device.h"
#include "model/config.h"

namespace millwright::app {

struct StepBench {
  std::string model;
  int64_t tokens = 0;
  int64_t rows = 0;        // of the embedding in memory
  int64_t parameters = 0;  // trained ones
  int threads = 0;
  double peak_gflops = 0;
  int peak_measurements = 0;
  double cpu_share = 1;  // see PeakMeter
  StepWork work;
  Samples step;  // forward and backward: the first micro-step of an update
  // Another one before the same update. It adds to gradients that are there, and finds the narrow
  // forms of weights (precisions int8 and bf16) that the first one made.
  Samples next;
  // Each micro-step's rate, as a share of the mean FMA rate measured right before and after it. On
  // a machine with neighbours this says more than a share of the best rate ever seen.
  Samples share;
  std::vector<std::pair<std::string, Samples>> phases;  // of it
  Samples optimizer;                                    // norms, AdamW, staging of weights
  Samples whole;                                        // micro-step and update
  // AdamW's time a parameter in times of a bare loop with the same traffic (math/update_loop.h),
  // which runs right before and after it.
  Samples adamw, adamw_ratio;

  double floor_ms() const { return work.total() * 1e-6 / peak_gflops; }
};

// Micro-steps, two an update, and updates of a network with random weights on random tokens, with
// the peak measured before, between and after them; for about `seconds`. `rows` below the
// vocabulary makes an `exact` compaction of that many rows. `gemm_table` is the device's, for the
// products on the host. Fails if the memory is not there.
Result<StepBench> BenchStep(device::Device& device, const model::ModelConfig& config, int64_t rows,
                            double seconds, const Progress& progress,
                            std::shared_ptr<const math::GemmTable> gemm_table = nullptr);

std::string ToText(const StepBench& bench);
nlohmann::json ToJson(const StepBench& bench);

}  // namespace millwright::app
