#include "app/bench_operands.h"

#include <algorithm>

#include "base/rng.h"

namespace millwright::app {

AlignedBuffer<float> RandomValues(size_t count, double scale, uint64_t stream) {
  constexpr size_t kBlock = 1 << 16;
  AlignedBuffer<float> values(count);
  const Rng rng(1, stream);
  const size_t head = std::min(kBlock, count);
  for (size_t i = 0; i < head; ++i) {
    values[i] = static_cast<float>(scale * (rng.Uniform(i) - 0.5));
  }
  for (size_t i = head; i < count; ++i) values[i] = values[i - head];
  return values;
}

}  // namespace millwright::app
