// What a Neural Engine does on this machine: latency, peak, memory, and this model's kernels.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/bench_measure.h"
#include "base/result.h"
#include "device/device.h"
#include "model/config.h"

namespace millwright::app {

// A chain of 1x1 convolutions whose result is known.
struct AnePeak {
  std::string form;  // "fp16", or "w8a8": weights and activations in 8 bits
  int64_t channels = 0, size = 0, depth = 0;
  double gop = 0;  // multiply-adds times two of a run, in 1e9
  double weight_mb = 0;
  Samples ms;
  std::string problem;  // why it did not run, or how its output was wrong

  double peak_tops() const { return gop / ms.minimum(); }
  double sustained_tops() const { return gop / ms.median(); }
};

// One convolution, by the size of its weights: where they outgrow the memory on the chip, the rate
// falls.
struct AneMemory {
  int64_t channels = 0;
  double weight_mb = 0, gflop = 0;
  Samples ms;
  std::string problem;
};

struct AneKernel {
  std::string name;
  double gflop = 0;
  double compile_ms = 0;
  Samples ms, staging_ms;  // of a run, and of its copies to and from the host
};

struct AneBench {
  std::string chip, macos;
  unsigned cores = 0, engines = 0;  // 0: the system does not say
  bool emulated = false;            // a library stood in for Apple's
  std::string model, config;
  Samples dispatch;  // ms of the smallest program
  std::vector<AnePeak> peaks;
  std::vector<AneMemory> memory;
  Samples swap, recompile;  // ms until woFwd computes with other weights: as data, and baked in
  std::vector<AneKernel> kernels;  // binding packed
  double compile_ms = 0;           // of all kernels
  double step_gflop = 0;           // of the kernels, a micro-step
  Samples step, on_device;         // ms of a micro-step, and of its launches
};

// How large the measurements are: an emulator is millions of times slower.
struct AneBenchSizes {
  struct Chain {
    int64_t channels, size, depth;
  };
  std::vector<Chain> chains;      // channels are a power of two, depths even
  std::vector<int64_t> channels;  // of the convolutions for memory
  int64_t vocab_rows = 0;
  size_t repetitions = 0;  // at least
};
AneBenchSizes FullAneSizes();
AneBenchSizes EmulatedAneSizes();

// Opens the device that `options` say and measures for about `seconds`. The sizes are the emulated
// ones where a library stands in for Apple's. Compiles about 40 programs.
Result<AneBench> BenchAne(const device::DeviceOptions& options, const model::ModelConfig& config,
                          double seconds, const Progress& progress);

// Where the figures are an emulator's, every line says so.
std::string ToText(const AneBench& bench);

// In the schema in which results of many machines are collected: one entry of training_results;
// below "measurements" all that this benchmark has measured besides.
nlohmann::json ToJson(const AneBench& bench, const std::string& contributor);

}  // namespace millwright::app
