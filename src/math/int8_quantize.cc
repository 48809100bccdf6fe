#include <algorithm>
#include <array>
#include <cmath>

#include "base/threads.h"
#include "math/int8_blocks.h"
#include "math/simd.h"
#include "math/stream.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/int8_quantize.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef MILLWRIGHT_MATH_INT8_QUANTIZE_ONCE
#define MILLWRIGHT_MATH_INT8_QUANTIZE_ONCE
namespace millwright::math {
namespace {

// Columns that are quantised together, of W^T as of x.
constexpr int64_t kStrip = kInt8StripBlocks * kInt8Rows;
static_assert(kStrip % kInt8Columns == 0);
// Rows that are asked for ahead of the first look, since no prefetcher follows such long steps.
constexpr int64_t kRowsAhead = 24;

// Where the words of four bytes go, each holding four steps of depth of one column: panels of some
// columns, [columns/width][words][width].
struct Panels {
  std::byte* to = nullptr;
  int64_t words = 0;
  float* scales = nullptr;
  int32_t* starts = nullptr;  // of weights

  Panels(void* memory, int64_t depth, float* scales_to, int32_t* starts_to)
      : to(static_cast<std::byte*>(memory)),
        words((depth + 3) / 4),
        scales(scales_to),
        starts(starts_to) {}
};

// Those of W^T and of x. `kFlip` turns signed bytes into those plus 128.
struct PanelsOfWeights : Panels {
  explicit PanelsOfWeights(const Int8Weights& w) : Panels(w.blocks, w.depth, w.scales, w.starts) {}
  static constexpr int64_t kWidth = kInt8Rows;
  static constexpr uint32_t kFlip = 0;
  static constexpr bool kStarts = true;
};
struct PanelsOfActivations : Panels {
  explicit PanelsOfActivations(const Int8Activations& x)
      : Panels(x.panels, x.depth, x.scales, nullptr) {}
  static constexpr int64_t kWidth = kInt8Columns;
  static constexpr uint32_t kFlip = 0x80808080u;
  static constexpr bool kStarts = false;
};

// 127 / absmax, or 0 where that would overflow.
inline float Inverse(float absmax) { return absmax < 0x1p-119f ? 0.0f : 127.0f / absmax; }

}  // namespace
}  // namespace millwright::math
#endif  // MILLWRIGHT_MATH_INT8_QUANTIZE_ONCE

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What is known of the columns of a strip; the columns behind its last one are zeros.
struct Strip {
  HWY_ALIGN int32_t absmax[kStrip];  // the bits of a float: as integers, NaN is the largest
  HWY_ALIGN float inverse[kStrip];
  HWY_ALIGN uint32_t words[kStrip];
  HWY_ALIGN int32_t sums[kStrip];
};

// |x| as bits, whose order as integers is that of the numbers, then infinity, then NaN.
template <class DF>
HWY_INLINE hn::Vec<hn::Rebind<int32_t, DF>> AbsBits(DF d, const float* HWY_RESTRICT x) {
  return hn::BitCast(hn::Rebind<int32_t, DF>(), hn::Abs(hn::LoadU(d, x)));
}

// The largest of column `c` to c + lanes in four rows, and in what is known of them.
template <class DF>
HWY_INLINE void TakeAbsmax(DF d, const float* HWY_RESTRICT x, int64_t stride,
                           int32_t* HWY_RESTRICT absmax) {
  const hn::Rebind<int32_t, DF> di;
  const auto upper = hn::Max(AbsBits(d, x), AbsBits(d, x + stride));
  const auto lower = hn::Max(AbsBits(d, x + 2 * stride), AbsBits(d, x + 3 * stride));
  hn::StoreU(hn::Max(hn::LoadU(di, absmax), hn::Max(upper, lower)), di, absmax);
}

// x * inverse to the nearest whole number, ties to even.
template <class DF>
HWY_INLINE hn::Vec<hn::Rebind<int32_t, DF>> Nearest(DF d, const float* HWY_RESTRICT x,
                                                    hn::Vec<DF> inverse) {
  return hn::NearestInt(hn::Mul(hn::LoadU(d, x), inverse));
}

// Four rows of the columns from `c` on, a word each. Rows from `rows` on are zeros.
template <class To, class DF>
HWY_INLINE void TakeWords(DF d, const float* HWY_RESTRICT x, int64_t stride, int64_t rows,
                          int64_t c, Strip& s) {
  const hn::Rebind<int32_t, DF> di;
  const hn::Rebind<uint32_t, DF> du;
  const auto inverse = hn::LoadU(d, s.inverse + c);
  const auto zero = hn::Zero(di);
  const auto q0 = Nearest(d, x, inverse);
  const auto q1 = rows > 1 ? Nearest(d, x + stride, inverse) : zero;
  const auto q2 = rows > 2 ? Nearest(d, x + 2 * stride, inverse) : zero;
  const auto q3 = rows > 3 ? Nearest(d, x + 3 * stride, inverse) : zero;
  if constexpr (To::kStarts) {
    const auto sum = hn::Add(hn::Add(q0, q1), hn::Add(q2, q3));
    hn::StoreU(hn::Add(hn::LoadU(di, s.sums + c), sum), di, s.sums + c);
  }
  const auto byte = hn::Set(du, 0xFFu);
  const auto low = hn::Or(hn::And(hn::BitCast(du, q0), byte),
                          hn::ShiftLeft<8>(hn::And(hn::BitCast(du, q1), byte)));
  const auto high = hn::Or(hn::ShiftLeft<16>(hn::And(hn::BitCast(du, q2), byte)),
                           hn::ShiftLeft<24>(hn::BitCast(du, q3)));
  hn::StoreU(hn::Xor(hn::Or(low, high), hn::Set(du, To::kFlip)), du, s.words + c);
}

// Calls fn(tag, column) for vectors that together cover `columns`.
template <class Fn>
HWY_INLINE void ForColumns(int64_t columns, const Fn& fn) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t c = 0;
  for (; c + lanes <= columns; c += lanes) fn(d, c);
  for (; c < columns; ++c) fn(hn::CappedTag<float, 1>(), c);
}

// The largest of each column of a strip.
void TakeAbsmaxOfStrip(const float* HWY_RESTRICT x, int64_t stride, int64_t depth, int64_t columns,
                       Strip& s) {
  int64_t j = 0;
  for (; j + 4 <= depth; j += 4) {
    const float* const rows = x + j * stride;
    if (j + kRowsAhead + 4 <= depth) {
      for (int64_t i = 0; i < 4; ++i) {
        const float* const ahead = rows + (kRowsAhead + i) * stride;
        for (int64_t c = 0; c < columns; c += 64 / sizeof(float)) PrefetchStream(ahead + c);
      }
    }
    ForColumns(columns,
               [&](auto d, int64_t c) HWY_ATTR { TakeAbsmax(d, rows + c, stride, s.absmax + c); });
  }
  for (; j < depth; ++j) {
    ForColumns(columns, [&](auto d, int64_t c)
                            HWY_ATTR { TakeAbsmax(d, x + j * stride + c, 0, s.absmax + c); });
  }
}

// The columns [first, first + columns) of a matrix of `depth` rows, at most kStrip of them.
template <class To>
void QuantizeStrip(const float* HWY_RESTRICT x, int64_t stride, int64_t depth, int64_t first,
                   int64_t columns, const To& to) {
  constexpr int64_t kBytes = To::kWidth * 4;
  Strip s;
  const int64_t padded = (columns + To::kWidth - 1) / To::kWidth * To::kWidth;
  std::fill_n(s.absmax, padded, 0);
  std::fill_n(s.sums, padded, 0);
  std::fill_n(s.words, padded, To::kFlip);
  x += first;
  TakeAbsmaxOfStrip(x, stride, depth, columns, s);
  for (int64_t c = 0; c < padded; ++c) {
    float absmax;
    hwy::CopyBytes<4>(s.absmax + c, &absmax);
    to.scales[first + c] = absmax / 127.0f;
    s.inverse[c] = Inverse(absmax);
  }
  for (int64_t word = 0; word < to.words; ++word) {
    const int64_t rows = HWY_MIN(int64_t{4}, depth - 4 * word);
    ForColumns(columns, [&](auto d, int64_t c) HWY_ATTR {
      TakeWords<To>(d, x + 4 * word * stride + c, stride, rows, c, s);
    });
    std::byte* panel = to.to + (first / To::kWidth * to.words + word) * kBytes;
    for (int64_t c = 0; c < padded; c += To::kWidth, panel += to.words * kBytes) {
      hwy::CopyBytes<kBytes>(s.words + c, panel);
    }
  }
  if constexpr (To::kStarts) {
    for (int64_t c = 0; c < padded; ++c) {
      // The sum of a column that holds what is no number means nothing; its scale carries that.
      to.starts[first + c] = std::isfinite(to.scales[first + c]) ? -128 * s.sums[c] : 0;
    }
  }
}

template <class To>
void QuantizeColumns(const float* x, int64_t stride, int64_t depth, int64_t begin, int64_t end,
                     const To& to) {
  for (int64_t c = begin; c < end; c += kStrip) {
    QuantizeStrip(x, stride, depth, c, HWY_MIN(kStrip, end - c), to);
  }
}

// Blocks [begin, end) of W, stored as its transpose.
void QuantizeTransposedRows(const float* w, int64_t stride, const Int8Weights& to, int64_t begin,
                            int64_t end) {
  QuantizeColumns(w, stride, to.depth, begin * kInt8Rows, HWY_MIN(end * kInt8Rows, to.rows),
                  PanelsOfWeights(to));
}

// Columns [begin, end) of x.
void QuantizeColumnsOfX(const float* x, int64_t stride, const Int8Activations& to, int64_t begin,
                        int64_t end) {
  QuantizeColumns(x, stride, to.depth, begin, end, PanelsOfActivations(to));
}

// The absmax of a row of `depth` elements, as bits.
HWY_INLINE float RowAbsmax(const float* HWY_RESTRICT w, int64_t depth) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<int32_t, decltype(d)> di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto most = hn::Zero(di);
  int64_t j = 0;
  for (; j + lanes <= depth; j += lanes) most = hn::Max(most, AbsBits(d, w + j));
  int32_t bits = hn::GetLane(hn::MaxOfLanes(di, most));
  for (; j < depth; ++j) {
    bits = HWY_MAX(bits, hn::GetLane(AbsBits(hn::CappedTag<float, 1>(), w + j)));
  }
  float absmax;
  hwy::CopyBytes<4>(&bits, &absmax);
  return absmax;
}

// A row of W, contiguous along depth, as words `step` bytes apart. Returns the sum of its elements.
HWY_INLINE int32_t QuantizeRow(const float* HWY_RESTRICT w, int64_t depth, float inverse,
                               int8_t* HWY_RESTRICT to, int64_t step) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<int32_t, decltype(d)> di;
  const hn::Rebind<int8_t, decltype(d)> d8;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto scale = hn::Set(d, inverse);
  HWY_ALIGN int8_t bytes[64];
  auto sums = hn::Zero(di);
  int64_t j = 0;
  for (; lanes >= 4 && j + lanes <= depth; j += lanes) {
    const auto q = Nearest(d, w + j, scale);
    sums = hn::Add(sums, q);
    hn::StoreU(hn::DemoteTo(d8, q), d8, bytes);
    for (int64_t i = 0; i < lanes; i += 4, to += step) hwy::CopyBytes<4>(bytes + i, to);
  }
  int32_t sum = hn::GetLane(hn::SumOfLanes(di, sums));
  for (; j < depth; j += 4, to += step) {
    for (int64_t i = 0; i < 4; ++i) {
      const hn::CappedTag<float, 1> one;
      const int32_t q =
          j + i < depth ? hn::GetLane(Nearest(one, w + j + i, hn::Set(one, inverse))) : 0;
      to[i] = static_cast<int8_t>(q);
      sum += q;
    }
  }
  return sum;
}

// Blocks [begin, end) of a matrix as stored.
void QuantizeRows(const float* HWY_RESTRICT w, int64_t stride, const Int8Weights& to, int64_t begin,
                  int64_t end) {
  const int64_t words = (to.depth + 3) / 4, step = 4 * kInt8Rows;
  for (int64_t row = begin * kInt8Rows; row < end * kInt8Rows; ++row) {
    int8_t* out = to.blocks + (row / kInt8Rows * words * kInt8Rows + row % kInt8Rows) * 4;
    const float absmax = row < to.rows ? RowAbsmax(w + row * stride, to.depth) : 0.0f;
    to.scales[row] = absmax / 127.0f;
    // Beyond the last row there is nothing; what is no number is carried by the scale alone.
    if (row >= to.rows || !std::isfinite(absmax)) {
      to.starts[row] = 0;
      for (int64_t word = 0; word < words; ++word) std::fill_n(out + word * step, 4, int8_t{0});
      continue;
    }
    to.starts[row] = -128 * QuantizeRow(w + row * stride, to.depth, Inverse(absmax), out, step);
  }
}

// Rows [begin, end) of a matrix that stays row-major.
void QuantizeRowsInOrder(const float* HWY_RESTRICT w, int64_t stride, int64_t depth,
                         int8_t* HWY_RESTRICT to, int64_t to_stride, float* HWY_RESTRICT scales,
                         int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) {
    const float absmax = RowAbsmax(w + row * stride, depth);
    scales[row] = absmax / 127.0f;
    int8_t* out = to + row * to_stride;
    const bool numbers = std::isfinite(absmax);
    if (numbers) QuantizeRow(w + row * stride, depth, Inverse(absmax), out, 4);
    std::fill(out + (numbers ? depth : 0), out + to_stride, int8_t{0});
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {
HWY_EXPORT(QuantizeColumnsOfX);
HWY_EXPORT(QuantizeTransposedRows);
HWY_EXPORT(QuantizeRows);
HWY_EXPORT(QuantizeRowsInOrder);
}  // namespace

void QuantizeBlocks(const float* w, int64_t stride, bool transposed, const Int8Weights& to,
                    int64_t begin, int64_t end) {
  transposed ? HWY_DYNAMIC_DISPATCH(QuantizeTransposedRows)(w, stride, to, begin, end)
             : HWY_DYNAMIC_DISPATCH(QuantizeRows)(w, stride, to, begin, end);
}

void QuantizeWeights(const float* w, int64_t stride, bool transposed, const Int8Weights& to) {
  ParallelFor((to.rows + kInt8Rows - 1) / kInt8Rows, 1, [&](int64_t begin, int64_t end) {
    QuantizeBlocks(w, stride, transposed, to, begin, end);
  });
}

void QuantizeRowMajor(int64_t rows, int64_t depth, const float* w, int64_t stride, int8_t* to,
                      int64_t to_stride, float* scales) {
  ParallelFor(rows, 16, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(QuantizeRowsInOrder)
    (w, stride, depth, to, to_stride, scales, begin, end);
  });
}

void QuantizeActivations(const float* x, int64_t stride, const Int8Activations& to) {
  ParallelFor(to.columns, kInt8Columns, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(QuantizeColumnsOfX)(x, stride, to, begin, end);
  });
}

}  // namespace millwright::math
#endif  // HWY_ONCE
