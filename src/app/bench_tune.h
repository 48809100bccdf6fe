// Which implementation is fastest for which product of a training step.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/bench_gemm.h"
#include "math/gemm_table.h"

namespace millwright::app {

struct GemmCandidate {
  math::GemmKind kind;
  std::string implementation;
  Rated rated;
};

struct TunedGemm {
  GemmUse use;
  size_t fixed = 0;  // the candidate that the fixed rule takes
  std::vector<GemmCandidate> candidates;

  // The candidate with the highest share of the FMA rate beside it; the fixed rule's unless another
  // is 2% better, which noise is not on repetition.
  size_t best() const;
};

struct TuneBench {
  std::vector<TunedGemm> products;
  double peak_gflops = 0;
  double cpu_share = 1;  // see PeakMeter

  math::GemmTable table() const;
};

// Measures every implementation on every product in turns, with weights from memory, about
// `seconds` in all.
TuneBench TuneGemms(const model::ModelConfig& config, int64_t rows, double seconds,
                    const Progress& progress);

std::string ToText(const TuneBench& bench);
nlohmann::json ToJson(const TuneBench& bench);

}  // namespace millwright::app
