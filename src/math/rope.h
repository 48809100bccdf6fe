// Rotary position embedding on the host: its tables, and its inverse for the backward step.
#pragma once

#include <cstdint>
#include <vector>

namespace millwright::math {

// cos and sin of position * theta^(-2i/head_dim), row-major [seq, head_dim / 2]; of `batch`
// sequences one after the other, each from position 0, for a seq `batch` times as long. Source: Su
// et al., "RoFormer", 2021.
struct RopeTables {
  int64_t seq = 0, head_dim = 0;
  std::vector<double> cos, sin;
};
RopeTables MakeRopeTables(int64_t seq, int64_t head_dim, double theta, int64_t batch = 1);

// Rotates x [heads * head_dim, seq] in place by the angle of its position; `inverse` rotates back,
// which is the gradient of the rotation. `half_split` pairs channels (i, i + head_dim/2), else
// (2i, 2i+1).
void Rope(const RopeTables& tables, int64_t heads, bool half_split, bool inverse, float* x);
void Rope(const RopeTables& tables, int64_t heads, bool half_split, bool inverse, double* x);

}  // namespace millwright::math
