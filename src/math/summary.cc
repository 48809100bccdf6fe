#include "math/summary.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/threads.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/summary.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Of a block that is short enough for its counts to fit 32 bits.
Summary SummaryOf(int64_t count, const float* x) {
  const hn::ScalableTag<double> wide;
  const hn::Rebind<float, decltype(wide)> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto no_sign = hn::Set(di, 0x7FFFFFFF), infinity = hn::Set(di, 0x7F800000);
  const auto zero = hn::Zero(di);
  auto squares = hn::Zero(wide);
  auto largest = zero, zeros = zero, finite = zero;
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(d, x + i);
    const auto magnitude = hn::And(no_sign, hn::BitCast(di, value));
    const auto is_finite = hn::Lt(magnitude, infinity);
    // A true lane is -1.
    finite = hn::Sub(finite, hn::VecFromMask(di, is_finite));
    zeros = hn::Sub(zeros, hn::VecFromMask(di, hn::Eq(magnitude, zero)));
    largest = hn::Max(largest, hn::IfThenElseZero(is_finite, magnitude));
    const auto kept = hn::IfThenElseZero(hn::RebindMask(d, is_finite), value);
    const auto v = hn::PromoteTo(wide, kept);
    squares = hn::MulAdd(v, v, squares);
  }
  Summary result;
  result.squares = hn::GetLane(hn::SumOfLanes(wide, squares));
  result.zeros = hn::GetLane(hn::SumOfLanes(di, zeros));
  result.not_finite = i - hn::GetLane(hn::SumOfLanes(di, finite));
  result.largest =
      static_cast<double>(std::bit_cast<float>(hn::GetLane(hn::MaxOfLanes(di, largest))));
  for (; i < count; ++i) {
    const double value = static_cast<double>(x[i]);
    if (!std::isfinite(value)) {
      ++result.not_finite;
      continue;
    }
    result.zeros += value == 0 ? 1 : 0;
    result.largest = std::max(result.largest, std::fabs(value));
    result.squares += value * value;
  }
  return result;
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {

HWY_EXPORT(SummaryOf);

Summary Summarize(int64_t count, const float* x) {
  constexpr int64_t kBlock = 1 << 16;
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  std::vector<Summary> parts(static_cast<size_t>(blocks));
  ParallelFor(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      parts[static_cast<size_t>(i)] =
          HWY_DYNAMIC_DISPATCH(SummaryOf)(std::min(kBlock, count - i * kBlock), x + i * kBlock);
    }
  });
  Summary whole;
  for (const Summary& part : parts) {
    whole.squares += part.squares;
    whole.largest = std::max(whole.largest, part.largest);
    whole.zeros += part.zeros;
    whole.not_finite += part.not_finite;
  }
  return whole;
}

Bins CountInBins(int64_t count, const float* x, int64_t sample, int64_t bins) {
  sample = std::min(sample, count);
  std::vector<float> values;
  values.reserve(static_cast<size_t>(sample));
  for (int64_t i = 0; i < sample; ++i) {
    const float value = x[i * count / sample];
    if (std::isfinite(value)) values.push_back(value);
  }
  if (values.empty()) return {};
  const auto [low, high] = std::ranges::minmax_element(values);
  Bins result{.low = static_cast<double>(*low), .high = static_cast<double>(*high), .counts = {}};
  const double width = result.high - result.low;
  result.counts.resize(width > 0 ? static_cast<size_t>(bins) : 1);
  const double scale = width > 0 ? static_cast<double>(bins) / width : 0;
  for (const float value : values) {
    const auto bin = static_cast<size_t>((static_cast<double>(value) - result.low) * scale);
    ++result.counts[std::min(bin, result.counts.size() - 1)];
  }
  return result;
}

}  // namespace millwright::math
#endif  // HWY_ONCE
