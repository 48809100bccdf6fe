// Constant tables of the attention kernels.
#pragma once

#include <cstdint>
#include <vector>

#include "model/config.h"

namespace millwright::kernels {

// cos and sin of position * rope_theta^(-2i/head_dim) for `seq` positions from `first` on,
// [head_dim / 2, seq] row-major, i first: the layout of a channel-first activation; for `batch`
// sequences side by side [head_dim / 2, batch * seq].
// Source: Su et al., "RoFormer", 2021.
struct RotaryTables {
  std::vector<double> cos, sin;
};
RotaryTables MakeRotaryTables(const model::ModelConfig& config, int64_t seq, int64_t first = 0,
                              int64_t batch = 1);

// [seq, seq]: 0 where key <= query, else the most negative finite fp16, which softmax turns into 0.
inline constexpr double kMaskedScore = -65504.0;
std::vector<double> MakeCausalMask(int64_t seq);

}  // namespace millwright::kernels
