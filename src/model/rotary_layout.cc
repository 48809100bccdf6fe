#include "model/rotary_layout.h"

#include <algorithm>
#include <vector>

#include "base/threads.h"

namespace millwright::model {

bool FollowsRotaryLayout(TensorRole role) {
  using enum TensorRole;
  return role == kWq || role == kWk || role == kQNorm || role == kKNorm;
}

void ConvertRotary(const ModelConfig& config, const TensorSpec& spec, RotaryLayout from,
                   RotaryLayout to, std::span<float> data) {
  if (from == to || !FollowsRotaryLayout(spec.role) || spec.part == LoraPart::kA) return;
  const int64_t columns = spec.is_norm() ? 1 : spec.shape[1];
  const int64_t half = config.head_dim / 2;
  const int64_t head_size = config.head_dim * columns;
  const bool to_half_split = to == RotaryLayout::kHalfSplit;
  ParallelFor(spec.shape[0] / config.head_dim, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> head(static_cast<size_t>(head_size));
    for (int64_t h = begin; h < end; ++h) {
      float* rows = data.data() + h * head_size;
      std::copy_n(rows, head_size, head.begin());
      for (int64_t pair = 0; pair < half; ++pair) {
        for (int64_t part = 0; part < 2; ++part) {
          const int64_t interleaved = 2 * pair + part;
          const int64_t split = pair + part * half;
          const int64_t source = to_half_split ? interleaved : split;
          const int64_t target = to_half_split ? split : interleaved;
          std::copy_n(head.begin() + source * columns, columns, rows + target * columns);
        }
      }
    }
  });
}

}  // namespace millwright::model
