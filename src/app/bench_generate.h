// Generation against the time that reading the weights takes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "app/bench_measure.h"
#include "base/result.h"
#include "checkpoint/hf_folder.h"
#include "device/device.h"
#include "model/config.h"

namespace millwright::app {

struct GenerateBench {
  std::string model;
  int threads = 0;
  DType weights = DType::kFp32;  // as which they are read
  double weight_bytes = 0;       // that a token reads
  double read_gb_per_s = 0;      // the best of what was measured in between
  int64_t prompt = 0;            // tokens
  Samples prompt_ms;             // of all its tokens
  Samples token_ms;              // of one token, at contexts from `prompt` on

  double floor_ms() const { return weight_bytes * 1e-6 / read_gb_per_s; }
};

// Reads a prompt and continues it, again and again for about `seconds`, with the bandwidth of
// memory measured in between. `source` may be null: random weights. Fails if the memory is not
// there.
Result<GenerateBench> BenchGenerate(device::Device& device, const model::ModelConfig& config,
                                    const checkpoint::TensorSource& source, double seconds,
                                    const Progress& progress);

std::string ToText(const GenerateBench& bench);
nlohmann::json ToJson(const GenerateBench& bench);

}  // namespace millwright::app
