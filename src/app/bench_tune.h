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

// One product of the table, and the uses that make it: one that overwrites and one that adds are
// chosen for together, since the table knows one choice for both.
struct TunedGemm {
  std::vector<GemmUse> uses;
  size_t fixed = 0;  // the candidate that the fixed rule takes
  std::vector<GemmCandidate> candidates;

  // The candidate with the highest share of the FMA rate beside it; the fixed rule's unless another
  // is 2% better, which noise is not on repetition.
  size_t best() const;
  const math::GemmShape& shape() const { return uses.front().shape; }
  std::string name() const;  // "backward k_proj, backward v_proj"
};

struct TuneBench {
  std::vector<TunedGemm> products;
  double peak_gflops = 0;
  double cpu_share = 1;  // see PeakMeter

  math::GemmTable table() const;
};

// Measures every implementation on every product in turns, with weights from memory, about
// `seconds` in all. A product with several uses is measured as all of them, one after another.
TuneBench TuneGemms(const model::ModelConfig& config, int64_t rows, double seconds,
                    const Progress& progress);

std::string ToText(const TuneBench& bench);
nlohmann::json ToJson(const TuneBench& bench);

}  // namespace millwright::app
