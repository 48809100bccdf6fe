#include "checkpoint/finite.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>

#include "base/threads.h"

namespace millwright::checkpoint {
namespace {

// By its bits, which vectorises: all exponent bits set.
bool IsFinite(float x) {
  constexpr uint32_t kExponent = 0x7F800000;
  return (std::bit_cast<uint32_t>(x) & kExponent) != kExponent;
}

}  // namespace

Status CheckFinite(std::string_view name, std::span<const float> data) {
  constexpr int64_t kGrain = 1 << 16;
  std::atomic<int64_t> bad = 0;
  ParallelFor(static_cast<int64_t>(data.size()), kGrain, [&](int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t i = begin; i < end; ++i) count += IsFinite(data[static_cast<size_t>(i)]) ? 0 : 1;
    bad += count;
  });
  if (bad == 0) return {};
  const auto first = std::ranges::find_if_not(data, IsFinite);
  return BadInput("tensor '{}' holds {} values that are not finite, first {} at element {}", name,
                  bad.load(), *first, first - data.begin());
}

}  // namespace millwright::checkpoint
