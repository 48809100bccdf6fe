// MultiplyTiles, for the instruction set that is being compiled: a tile of kTileRows rows and a few
// vectors of C stays in registers. Many vectors and few rows, so that a step of depth takes few
// instructions: a core whose other hardware thread is busy is short of those first.
#if defined(MILLWRIGHT_MATH_TILE_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MILLWRIGHT_MATH_TILE_PRODUCT_INL
#undef MILLWRIGHT_MATH_TILE_PRODUCT_INL
#else
#define MILLWRIGHT_MATH_TILE_PRODUCT_INL
#endif

#include "hwy/highway.h"
#include "math/tile_product.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {

// Vectors in a row of a tile: 24 accumulators where there are 32 registers, else 12 of 16.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr int64_t kTileVectors = 4;
#else
inline constexpr int64_t kTileVectors = 2;
#endif

HWY_INLINE const float* RowOfA(const TileProduct& p, int64_t row) {
  if (!p.panels) return p.a + row * p.row_stride;
  return p.a + row / kTileRows * kTileRows * p.depth + row % kTileRows;
}

// kRows rows of C from `row` on, and kVectors vectors from `column` on.
template <int64_t kRows, int64_t kVectors>
HWY_INLINE void MultiplyTile(const TileProduct& p, int64_t row, int64_t column) {
  const hwy::HWY_NAMESPACE::ScalableTag<float> d;
  using V = hwy::HWY_NAMESPACE::Vec<decltype(d)>;
  namespace hn = hwy::HWY_NAMESPACE;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  V sums[kRows][kVectors];
  HWY_UNROLL(6) for (auto& sums_of_row : sums) {
    HWY_UNROLL(4) for (V& sum : sums_of_row) sum = hn::Zero(d);
  }
  const float* HWY_RESTRICT a = RowOfA(p, row);
  const float* HWY_RESTRICT b = p.b + column;
  for (int64_t k = 0; k < p.depth; ++k, a += p.depth_stride, b += p.ldb) {
    V x[kVectors];
    HWY_UNROLL(4) for (int64_t v = 0; v < kVectors; ++v) x[v] = hn::LoadU(d, b + v * lanes);
    HWY_UNROLL(6) for (int64_t r = 0; r < kRows; ++r) {
      const V value = hn::Set(d, a[r * p.row_stride]);
      HWY_UNROLL(4) for (int64_t v = 0; v < kVectors; ++v) {
        sums[r][v] = hn::MulAdd(value, x[v], sums[r][v]);
      }
    }
  }
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t v = 0; v < kVectors; ++v) {
      float* c = p.c + (row + r) * p.ldc + column + v * lanes;
      hn::StoreU(p.accumulate ? hn::Add(hn::LoadU(d, c), sums[r][v]) : sums[r][v], d, c);
    }
  }
}

// The columns that do not fill a vector.
HWY_INLINE void MultiplyTail(const TileProduct& p, int64_t row, int64_t rows, int64_t column) {
  for (int64_t r = row; r < row + rows; ++r) {
    for (int64_t j = column; j < p.columns; ++j) {
      float sum = p.accumulate ? p.c[r * p.ldc + j] : 0.0f;
      for (int64_t k = 0; k < p.depth; ++k) {
        sum += RowOfA(p, r)[k * p.depth_stride] * p.b[k * p.ldb + j];
      }
      p.c[r * p.ldc + j] = sum;
    }
  }
}

template <int64_t kRows>
HWY_INLINE void MultiplyRows(const TileProduct& p, int64_t row) {
  const auto lanes =
      static_cast<int64_t>(hwy::HWY_NAMESPACE::Lanes(hwy::HWY_NAMESPACE::ScalableTag<float>()));
  int64_t column = 0;
  for (; column + kTileVectors * lanes <= p.columns; column += kTileVectors * lanes) {
    MultiplyTile<kRows, kTileVectors>(p, row, column);
  }
  for (; column + lanes <= p.columns; column += lanes) MultiplyTile<kRows, 1>(p, row, column);
  MultiplyTail(p, row, kRows, column);
}

HWY_INLINE void MultiplyTiles(const TileProduct& p) {
  int64_t row = 0;
  for (; row + kTileRows <= p.rows; row += kTileRows) MultiplyRows<kTileRows>(p, row);
  for (; row + 2 <= p.rows; row += 2) MultiplyRows<2>(p, row);
  for (; row < p.rows; ++row) MultiplyRows<1>(p, row);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#endif  // toggle
