// Each training kernel on the CPU device, measured by itself.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/bench_measure.h"
#include "base/result.h"
#include "device/device.h"
#include "model/config.h"

namespace millwright::app {

struct KernelMeasurement {
  std::string name;
  double gflop = 0;  // useful work: attention without the masked half
  double megabytes = 0;
  Samples times;

  double gflops() const { return gflop * 1e3 / times.median(); }
};

struct KernelBench {
  std::vector<KernelMeasurement> kernels;
  double peak_gflops = 0;
  double cpu_share = 1;  // see PeakMeter
};

// Binding kSeparate, random operands; about `seconds` in all. The device keeps floats as fp32.
Result<KernelBench> BenchKernels(device::Device& device, const model::ModelConfig& config,
                                 double seconds, const Progress& progress);

std::string ToText(const KernelBench& bench);
nlohmann::json ToJson(const KernelBench& bench);

}  // namespace millwright::app
