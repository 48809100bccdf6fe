// The two passes of RMSNorm over a range of columns (positions), shared by RMSNorm and QK-norm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/threads.h"

namespace millwright::math {

// The columns [begin, end) of activations with row stride `stride`.
struct Columns {
  int64_t begin = 0, end = 0, stride = 0;
};

// inv_rms[s] = 1/sqrt(mean_c x[c,s]^2 + eps) for each column s of the range; inv_rms is indexed
// from column 0.
void InverseRmsOfColumns(int64_t channels, const Columns& columns, double eps, const float* x,
                         float* inv_rms);

// The columns of RmsNormBackward; `dw` may be a part of the sum that its thread owns.
void RmsNormBackwardColumns(int64_t channels, const Columns& columns, const float* dy,
                            const float* x, const float* w, const float* inv_rms, const float* skip,
                            float* dx, float* dw);

// Calls fn(columns, dw) for parts of [0, seq) in parallel, each with its own zeroed dw[channels],
// and adds those to `dw` in order: the sum depends on the number of threads only. `dw` may be null:
// the weight is frozen.
template <class Fn>
void ForColumnsWithWeightGradient(int64_t channels, int64_t seq, float* dw, const Fn& fn) {
  constexpr int64_t kGrain = 16;  // a cache line of columns
  const int64_t slots = (seq + kGrain - 1) / kGrain;
  std::vector<std::vector<float>> parts(static_cast<size_t>(slots));
  ParallelFor(seq, kGrain, [&](int64_t begin, int64_t end) {
    auto& part = parts[static_cast<size_t>(begin / kGrain)];
    part.resize(static_cast<size_t>(channels));
    fn(Columns{begin, end, seq}, part.data());
  });
  if (dw == nullptr) return;
  for (const auto& part : parts) {
    for (size_t c = 0; c < part.size(); ++c) dw[c] += part[c];
  }
}

}  // namespace millwright::math
