// Each training kernel on the CPU device, measured by itself.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/bench_measure.h"
#include "app/bench_operands.h"
#include "base/result.h"
#include "device/device.h"
#include "model/config.h"

namespace millwright::app {

struct KernelMeasurement {
  std::string name;
  double gflop = 0;  // useful work: attention without the masked half
  double megabytes = 0;
  Rated rated;

  double gflops() const { return gflop * 1e3 / rated.ms.median(); }
};

struct KernelBench {
  std::vector<KernelMeasurement> kernels;
  int programs = 0;  // a device that fuses attention's backward needs one less
  Samples compile;   // ms to generate, check and compile them all
  double peak_gflops = 0;
  double read_gb_per_s = 0;  // the best of what was measured in between
  double cpu_share = 1;      // see PeakMeter

  // The least time that the machine needs: for the multiply-adds, or to move the operands once.
  double compute_ms(const KernelMeasurement& k) const { return k.gflop * 1e3 / peak_gflops; }
  double memory_ms(const KernelMeasurement& k) const { return k.megabytes / read_gb_per_s; }
  double roofline_ms(const KernelMeasurement& k) const {
    return std::max(compute_ms(k), memory_ms(k));
  }
};

// Binding kSeparate, random operands; about `seconds` in all. Each run has the weights of another
// layer, which all lie in `weight_pool` floats of memory: more than the caches hold. The device
// keeps floats as fp32.
Result<KernelBench> BenchKernels(device::Device& device, const model::ModelConfig& config,
                                 double seconds, const Progress& progress,
                                 size_t weight_pool = kBeyondCaches);

std::string ToText(const KernelBench& bench);
nlohmann::json ToJson(const KernelBench& bench);

}  // namespace millwright::app
