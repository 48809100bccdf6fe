#include "base/round_up.h"
#include "math/int8.h"

namespace millwright::math {
namespace {

// Three arrays in one allocation, each on a cache line.
struct Layout {
  int64_t elements = 0, scales = 0, starts = 0;  // bytes

  Layout(int64_t lines, int64_t depth, bool has_starts)
      : elements(RoundUp(lines * RoundUp(depth, 4), 64)),
        scales(RoundUp(lines * static_cast<int64_t>(sizeof(float)), 64)),
        starts(has_starts ? scales : 0) {}
  size_t bytes() const { return static_cast<size_t>(elements + scales + starts); }
};

}  // namespace

size_t Int8WeightsBytes(int64_t rows, int64_t depth) {
  return Layout(RoundUp(rows, kInt8Rows), depth, true).bytes();
}

size_t Int8ActivationsBytes(int64_t depth, int64_t columns) {
  return Layout(RoundUp(columns, kInt8Columns), depth, false).bytes();
}

Int8Weights Int8WeightsIn(int64_t rows, int64_t depth, std::byte* memory) {
  const Layout layout(RoundUp(rows, kInt8Rows), depth, true);
  return {rows, depth, reinterpret_cast<int8_t*>(memory),
          reinterpret_cast<float*>(memory + layout.elements),
          reinterpret_cast<int32_t*>(memory + layout.elements + layout.scales)};
}

Int8Activations Int8ActivationsIn(int64_t depth, int64_t columns, std::byte* memory) {
  const Layout layout(RoundUp(columns, kInt8Columns), depth, false);
  return {depth, columns, reinterpret_cast<uint8_t*>(memory),
          reinterpret_cast<float*>(memory + layout.elements)};
}

}  // namespace millwright::math
