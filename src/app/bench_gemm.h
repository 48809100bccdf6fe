// Every matrix product of a training step, measured.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/bench_measure.h"
#include "math/gemm.h"
#include "model/config.h"

namespace millwright::app {

// A product, and the weights whose step needs it: "forward wq wo".
struct GemmUse {
  std::string name;
  math::GemmShape shape;
};

// The products of a step of `config` with `rows` embedding rows, equal shapes once: forward W x,
// backward W^T dy, weight gradient dW += dy x^T, for every matrix and the classifier.
std::vector<GemmUse> GemmsOfStep(const model::ModelConfig& config, int64_t rows);

struct GemmMeasurement {
  GemmUse use;
  std::string implementation;
  Samples times;

  double gflops() const;  // at the median
};

struct GemmBench {
  std::vector<GemmMeasurement> products;
  double peak_gflops = 0;
  double cpu_share = 1;  // see PeakMeter
};

// Spends about `seconds` in all.
GemmBench BenchGemm(const model::ModelConfig& config, int64_t rows, double seconds,
                    const Progress& progress);

std::string ToText(const GemmBench& bench);
nlohmann::json ToJson(const GemmBench& bench);

}  // namespace millwright::app
