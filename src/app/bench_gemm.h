// Every matrix product of a training step, measured.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/bench_measure.h"
#include "base/aligned.h"
#include "math/gemm.h"
#include "model/config.h"

namespace millwright::app {

// A product, and the weights whose step needs it: "forward wq wo".
struct GemmUse {
  std::string name;
  math::GemmShape shape;

  double gflop() const;
};

// The products of a step of `config` with `rows` embedding rows, equal shapes once: forward W x,
// backward W^T dy (added to another where a kernel sums them), weight gradient dW += dy x^T, for
// every matrix and the classifier.
std::vector<GemmUse> GemmsOfStep(const model::ModelConfig& config, int64_t rows);

// Operands for the products of a step. The one of the weight's size (the weight itself, or its
// gradient) comes from a pool that is larger than the caches, another part of it each time, as one
// layer follows the other in a step; the others stay where they are.
class GemmOperands {
 public:
  explicit GemmOperands(const std::vector<GemmUse>& uses);

  // Runs `shape` on the next part of the pool, or again on the same.
  void RunCold(math::GemmEngine& engine, const math::GemmShape& shape, math::GemmKind kind);
  void RunWarm(math::GemmEngine& engine, const math::GemmShape& shape, math::GemmKind kind);

 private:
  void Run(math::GemmEngine& engine, const math::GemmShape& shape, math::GemmKind kind,
           float* weight);

  AlignedBuffer<float> pool_, first_, second_;
  size_t next_ = 0;
};

struct GemmMeasurement {
  GemmUse use;
  std::string implementation;
  Rated cold, warm;  // with weights from memory, as in a step, and from a cache

  double gflops(const Rated& rated) const;  // at the median
};

struct GemmBench {
  std::vector<GemmMeasurement> products;
  double peak_gflops = 0;
  double cpu_share = 1;  // see PeakMeter
};

// Measures what `engine` chooses for each product, for about `seconds` in all.
GemmBench BenchGemm(math::GemmEngine& engine, const model::ModelConfig& config, int64_t rows,
                    double seconds, const Progress& progress);

std::string ToText(const GemmBench& bench);
nlohmann::json ToJson(const GemmBench& bench);

}  // namespace millwright::app
