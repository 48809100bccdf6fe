// Transpose, for the instruction set that is being compiled: squares of a vector's size stay in
// registers.
#if defined(MILLWRIGHT_MATH_TRANSPOSE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MILLWRIGHT_MATH_TRANSPOSE_INL
#undef MILLWRIGHT_MATH_TRANSPOSE_INL
#else
#define MILLWRIGHT_MATH_TRANSPOSE_INL
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {

// A side of the squares: the lanes of a vector.
inline constexpr int64_t kSquare = HWY_LANES(float);

#if HWY_TARGET != HWY_SCALAR
using SquareRow = hwy::HWY_NAMESPACE::Vec<hwy::HWY_NAMESPACE::ScalableTag<float>>;

// Transposes each four rows of 4 x 4 blocks in place: afterwards block b of rows[4 * i + j] is
// column 4 * b + j of the rows 4 * i to 4 * i + 3.
HWY_INLINE void TransposeBlocks(SquareRow (&rows)[kSquare]) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  const hn::RepartitionToWide<hn::RebindToUnsigned<decltype(d)>> d_pairs;
  HWY_UNROLL(4) for (int64_t i = 0; i < kSquare; i += 4) {
    const auto lower01 = hn::BitCast(d_pairs, hn::InterleaveLower(d, rows[i], rows[i + 1]));
    const auto upper01 = hn::BitCast(d_pairs, hn::InterleaveUpper(d, rows[i], rows[i + 1]));
    const auto lower23 = hn::BitCast(d_pairs, hn::InterleaveLower(d, rows[i + 2], rows[i + 3]));
    const auto upper23 = hn::BitCast(d_pairs, hn::InterleaveUpper(d, rows[i + 2], rows[i + 3]));
    rows[i] = hn::BitCast(d, hn::InterleaveLower(d_pairs, lower01, lower23));
    rows[i + 1] = hn::BitCast(d, hn::InterleaveUpper(d_pairs, lower01, lower23));
    rows[i + 2] = hn::BitCast(d, hn::InterleaveLower(d_pairs, upper01, upper23));
    rows[i + 3] = hn::BitCast(d, hn::InterleaveUpper(d_pairs, upper01, upper23));
  }
}

// Stores the columns j, j + 4 and so on of what TransposeBlocks left, `ld` apart.
template <int64_t kSide>
HWY_INLINE void StoreColumns(const SquareRow (&rows)[kSide], int64_t j, float* HWY_RESTRICT to,
                             int64_t ld) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  if constexpr (kSide == 4) {
    hn::StoreU(rows[j], d, to);
  } else if constexpr (kSide == 8) {
    hn::StoreU(hn::ConcatLowerLower(d, rows[4 + j], rows[j]), d, to);
    hn::StoreU(hn::ConcatUpperUpper(d, rows[4 + j], rows[j]), d, to + ld);
  } else {  // blocks 0 and 1 of all rows, then 2 and 3
    const auto store = [&](SquareRow even, SquareRow odd, float* at) HWY_ATTR {
      hn::StoreU(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(odd), even), d, at);
      hn::StoreU(hn::OddEvenBlocks(odd, hn::SwapAdjacentBlocks(even)), d, at + ld);
    };
    store(hn::ConcatLowerLower(d, rows[8 + j], rows[j]),
          hn::ConcatLowerLower(d, rows[12 + j], rows[4 + j]), to);
    store(hn::ConcatUpperUpper(d, rows[8 + j], rows[j]),
          hn::ConcatUpperUpper(d, rows[12 + j], rows[4 + j]), to + 2 * ld);
  }
}

// to[column * ld + row] = from[row * stride + column], for kSquare rows and columns.
HWY_INLINE void TransposeSquare(const float* HWY_RESTRICT from, int64_t stride,
                                float* HWY_RESTRICT to, int64_t ld) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  SquareRow rows[kSquare];
  HWY_UNROLL(16) for (int64_t i = 0; i < kSquare; ++i) rows[i] = hn::LoadU(d, from + i * stride);
  TransposeBlocks(rows);
  HWY_UNROLL(4) for (int64_t j = 0; j < 4; ++j) StoreColumns<kSquare>(rows, j, to + j * ld, 4 * ld);
}
#else
HWY_INLINE void TransposeSquare(const float* HWY_RESTRICT from, int64_t, float* HWY_RESTRICT to,
                                int64_t) {
  *to = *from;
}
#endif

// to[column * ld + row] = from[row * stride + column].
inline void Transpose(const float* HWY_RESTRICT from, int64_t stride, int64_t rows, int64_t columns,
                      float* HWY_RESTRICT to, int64_t ld) {
  const int64_t whole_rows = rows / kSquare * kSquare;
  const int64_t whole_columns = columns / kSquare * kSquare;
  for (int64_t row = 0; row < whole_rows; row += kSquare) {
    for (int64_t column = 0; column < whole_columns; column += kSquare) {
      TransposeSquare(from + row * stride + column, stride, to + column * ld + row, ld);
    }
  }
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = row < whole_rows ? whole_columns : 0; column < columns; ++column) {
      to[column * ld + row] = from[row * stride + column];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#endif  // toggle
