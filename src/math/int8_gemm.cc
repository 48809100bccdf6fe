#include <algorithm>

#include "base/threads.h"
#include "math/int8_blocks.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/int8_gemm.cc"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "math/int8_dot-inl.h"

#ifndef MILLWRIGHT_MATH_INT8_GEMM_ONCE
#define MILLWRIGHT_MATH_INT8_GEMM_ONCE
namespace millwright::math {
namespace {

// A tile of y: the rows of a block of W by the columns of a panel of x, or what is left of them.
struct Int8Tile {
  int64_t words = 0;  // of four bytes: a quarter of the depth, rounded up
  const int8_t* w = nullptr;
  const uint8_t* x = nullptr;
  const int32_t* starts = nullptr;
  const float *row_scales = nullptr, *column_scales = nullptr;
  Int8Result y;
};

}  // namespace
}  // namespace millwright::math
#endif  // MILLWRIGHT_MATH_INT8_GEMM_ONCE

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = WordsTag;
using DF = hn::Rebind<float, D>;
using V = Words;
using VF = hn::Vec<DF>;

const char* Int8TargetName() { return hwy::TargetName(HWY_TARGET); }

// Four rows of a tile, two vectors wide.
struct Int8Rows4 {
  V a0, a1, b0, b1, c0, c1, d0, d1;
};

HWY_INLINE Int8Rows4 StartRows(const int32_t* starts) {
  const D d;
  const V a = hn::Set(d, starts[0]), b = hn::Set(d, starts[1]);
  const V c = hn::Set(d, starts[2]), e = hn::Set(d, starts[3]);
  return {a, a, b, b, c, c, e, e};
}

HWY_INLINE V Word(const int8_t* from) {
  int32_t word;
  hwy::CopyBytes<4>(from, &word);
  return hn::Set(D(), word);
}

// Adds four steps of depth of four rows.
template <class Dot>
HWY_INLINE void Step(const int8_t* HWY_RESTRICT w, V x, V y, Int8Rows4& r) {
  const V a = Word(w);
  r.a0 = Dot::Add(r.a0, x, a), r.a1 = Dot::Add(r.a1, y, a);
  const V b = Word(w + 4);
  r.b0 = Dot::Add(r.b0, x, b), r.b1 = Dot::Add(r.b1, y, b);
  const V c = Word(w + 8);
  r.c0 = Dot::Add(r.c0, x, c), r.c1 = Dot::Add(r.c1, y, c);
  const V e = Word(w + 12);
  r.d0 = Dot::Add(r.d0, x, e), r.d1 = Dot::Add(r.d1, y, e);
}

HWY_INLINE void StoreVector(V sum, VF row, const float* HWY_RESTRICT columns, bool add,
                            float* HWY_RESTRICT y) {
  const DF d;
  const VF product = hn::Mul(hn::ConvertTo(d, sum), hn::Mul(row, hn::LoadU(d, columns)));
  hn::StoreU(add ? hn::Add(hn::LoadU(d, y), product) : product, d, y);
}

HWY_INLINE void StoreRow(const Int8Tile& t, int64_t row, V x, V y, int64_t column) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(DF()));
  const VF scale = hn::Set(DF(), t.row_scales[row]);
  float* to = t.y.y + row * t.y.stride + column;
  StoreVector(x, scale, t.column_scales + column, t.y.add, to);
  StoreVector(y, scale, t.column_scales + column + lanes, t.y.add, to + lanes);
}

HWY_INLINE void StoreRows(const Int8Tile& t, int64_t row, const Int8Rows4& r, int64_t column) {
  StoreRow(t, row, r.a0, r.a1, column);
  StoreRow(t, row + 1, r.b0, r.b1, column);
  StoreRow(t, row + 2, r.c0, r.c1, column);
  StoreRow(t, row + 3, r.d0, r.d1, column);
}

constexpr int64_t kWordsOfW = 4 * kInt8Rows;     // bytes of a step of a block ...
constexpr int64_t kWordsOfX = 4 * kInt8Columns;  // ... and of a panel

// Four rows of a whole tile, two vectors of columns at a time.
template <class Dot>
HWY_INLINE void FourRows(const Int8Tile& t, int64_t row) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  for (int64_t column = 0; column < kInt8Columns; column += 2 * lanes) {
    Int8Rows4 r = StartRows(t.starts + row);
    const uint8_t* HWY_RESTRICT x = t.x + 4 * column;
    const int8_t* HWY_RESTRICT w = t.w + 4 * row;
    for (int64_t i = 0; i < t.words; ++i, x += kWordsOfX, w += kWordsOfW) {
      Step<Dot>(w, LoadWords(x), LoadWords(x + 4 * lanes), r);
    }
    StoreRows(t, row, r, column);
  }
}

// A whole tile by the portable sum.
void TileWidened(const Int8Tile& t) {
  for (int64_t row = 0; row < kInt8Rows; row += 4) FourRows<DotWidened>(t, row);
}

// A whole tile; where there is the instruction, in 24 of 32 registers.
void Tile(const Int8Tile& t) {
#if HWY_TARGET == HWY_AVX3
  if (!HasDot()) return TileWidened(t);
  constexpr int64_t kAhead = 8 * kWordsOfX;  // in the second-level cache: it is soon there
  Int8Rows4 r0 = StartRows(t.starts), r1 = StartRows(t.starts + 4), r2 = StartRows(t.starts + 8);
  const uint8_t* HWY_RESTRICT x = t.x;
  const int8_t* HWY_RESTRICT w = t.w;
  for (int64_t i = 0; i < t.words; ++i, x += kWordsOfX, w += kWordsOfW) {
    const V left = LoadWords(x);
    const V right = LoadWords(x + 64);
    hwy::Prefetch(x + kAhead);
    hwy::Prefetch(x + kAhead + 64);
    Step<DotInstruction>(w, left, right, r0);
    Step<DotInstruction>(w + 16, left, right, r1);
    Step<DotInstruction>(w + 32, left, right, r2);
  }
  StoreRows(t, 0, r0, 0);
  StoreRows(t, 4, r1, 0);
  StoreRows(t, 8, r2, 0);
#else
  TileWidened(t);
#endif
}

// A tile at an edge of y, of which `rows` and `columns` are left, through a buffer.
void TileAtEdge(Int8Tile tile, int64_t rows, int64_t columns) {
  HWY_ALIGN float edge[kInt8Rows * kInt8Columns] = {};
  const Int8Result y = tile.y;
  for (int64_t i = 0; i < rows && y.add; ++i) {
    std::copy_n(y.y + i * y.stride, columns, edge + i * kInt8Columns);
  }
  tile.y = {edge, kInt8Columns, y.add};
  Tile(tile);
  for (int64_t i = 0; i < rows; ++i) {
    std::copy_n(edge + i * kInt8Columns, columns, y.y + i * y.stride);
  }
}

// The blocks [begin, end) of W by all panels of x.
void Blocks(const Int8Weights& w, const Int8Activations& x, const Int8Result& y, int64_t begin,
            int64_t end) {
  const int64_t words = (w.depth + 3) / 4;
  for (int64_t row = begin * kInt8Rows; row < end * kInt8Rows; row += kInt8Rows) {
    const int64_t rows = HWY_MIN(kInt8Rows, w.rows - row);
    for (int64_t column = 0; column < x.columns; column += kInt8Columns) {
      const int64_t columns = HWY_MIN(kInt8Columns, x.columns - column);
      const Int8Tile tile{words,
                          w.blocks + row * 4 * words,
                          x.panels + column * 4 * words,
                          w.starts + row,
                          w.scales + row,
                          x.scales + column,
                          {y.y + row * y.stride + column, y.stride, y.add}};
      const bool whole = rows == kInt8Rows && columns == kInt8Columns;
      whole ? Tile(tile) : TileAtEdge(tile, rows, columns);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {
HWY_EXPORT(Blocks);
HWY_EXPORT(HasDot);
HWY_EXPORT(Int8TargetName);

int64_t BlocksOf(const Int8Weights& w) { return (w.rows + kInt8Rows - 1) / kInt8Rows; }

}  // namespace

void MultiplyBlocks(const Int8Weights& w, const Int8Activations& x, const Int8Result& y,
                    int64_t begin, int64_t end) {
  HWY_DYNAMIC_DISPATCH(Blocks)(w, x, y, begin, end);
}

void Int8Gemm(const Int8Weights& w, const Int8Activations& x, const Int8Result& y) {
  ParallelFor(BlocksOf(w), 1,
              [&](int64_t begin, int64_t end) { MultiplyBlocks(w, x, y, begin, end); });
}

void Int8GemmOfFresh(const float* w, int64_t stride, bool transposed, const Int8Weights& to,
                     const Int8Activations& x, const Int8Result& y) {
  const int64_t blocks = BlocksOf(to);
  ParallelUnits((blocks + kInt8StripBlocks - 1) / kInt8StripBlocks, [&](int64_t unit, int) {
    const int64_t begin = unit * kInt8StripBlocks, end = std::min(blocks, begin + kInt8StripBlocks);
    QuantizeBlocks(w, stride, transposed, to, begin, end);
    MultiplyBlocks(to, x, y, begin, end);
  });
}

bool HasInt8Dot() { return HWY_DYNAMIC_DISPATCH(HasDot)(); }

std::string Int8GemmName() {
  return std::string("int8:") + (HasInt8Dot() ? "vnni" : HWY_DYNAMIC_DISPATCH(Int8TargetName)());
}

}  // namespace millwright::math
#endif  // HWY_ONCE
