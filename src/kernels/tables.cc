#include "kernels/tables.h"

#include <cmath>

namespace millwright::kernels {

RotaryTables MakeRotaryTables(const model::ModelConfig& config, int64_t seq, int64_t first,
                              int64_t batch) {
  const int64_t half = config.head_dim / 2;
  RotaryTables tables;
  for (int64_t i = 0; i < half; ++i) {
    const double frequency = std::pow(
        config.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(config.head_dim));
    for (int64_t column = 0; column < batch * seq; ++column) {
      const double angle = static_cast<double>(first + column % seq) * frequency;
      tables.cos.push_back(std::cos(angle));
      tables.sin.push_back(std::sin(angle));
    }
  }
  return tables;
}

std::vector<double> MakeCausalMask(int64_t seq) {
  std::vector<double> mask(static_cast<size_t>(seq * seq), 0.0);
  for (int64_t query = 0; query < seq; ++query) {
    for (int64_t key = query + 1; key < seq; ++key) {
      mask[static_cast<size_t>(query * seq + key)] = kMaskedScore;
    }
  }
  return mask;
}

}  // namespace millwright::kernels
