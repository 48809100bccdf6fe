#include "math/gemm_blocks.h"

#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/gemm_blocks.cc"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef MILLWRIGHT_MATH_GEMM_BLOCKS_ONCE
#define MILLWRIGHT_MATH_GEMM_BLOCKS_ONCE
namespace millwright::math {
namespace {

constexpr int64_t kRowBlock = 240;  // rows of a block of A: 300 KiB, in the second-level cache
constexpr int64_t kMaxTileRows = 12;

// Floats from one sub-panel of A, four rows, to the next. The cache line more than they fill keeps
// the sub-panels of a power of two apart: 4 KiB, and they would evict each other. That line alone
// took W^T * dY from 68% to 78% of the peak of one core.
constexpr int64_t SubPanel(int64_t depth) { return 4 * depth + 16; }

// A rectangle of A that will be packed soon: its lines are asked for while tiles are computed, so
// that packing does not wait for memory.
struct Lookahead {
  const float* base = nullptr;  // null: nothing follows
  int64_t stride = 0;           // floats from row to row
  int64_t lines_per_row = 0, lines = 0;
  int64_t next = 0;
};

constexpr int64_t kLine = 64 / sizeof(float);
constexpr int64_t kChunk = 8;  // steps of depth between two requests

Lookahead LookaheadOf(const float* base, int64_t stride, int64_t rows, int64_t columns) {
  const int64_t per_row = (columns + kLine - 1) / kLine;
  return {base, stride, per_row, per_row * rows, 0};
}

}  // namespace
}  // namespace millwright::math
#endif  // MILLWRIGHT_MATH_GEMM_BLOCKS_ONCE

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Four rows of a tile, two vectors wide.
struct Rows4 {
  V a0, a1, b0, b1, c0, c1, d0, d1;
};

// Groups of four rows in a tile: 24 accumulators where there are 32 registers, else 8 of 16.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int64_t kGroups = 3;
#else
constexpr int64_t kGroups = 1;
#endif
constexpr int64_t kTileRows = 4 * kGroups;

GemmTile Tile() { return {kTileRows, 2 * static_cast<int64_t>(hn::Lanes(D()))}; }

const char* TargetName() { return hwy::TargetName(HWY_TARGET); }

HWY_INLINE Rows4 ZeroRows() {
  const V zero = hn::Zero(D());
  return {zero, zero, zero, zero, zero, zero, zero, zero};
}

// Adds the outer product of a[0..4) and (x, y).
HWY_INLINE void Step(const float* HWY_RESTRICT a, V x, V y, Rows4& r) {
  const D d;
  const V a0 = hn::Set(d, a[0]);
  r.a0 = hn::MulAdd(a0, x, r.a0), r.a1 = hn::MulAdd(a0, y, r.a1);
  const V a1 = hn::Set(d, a[1]);
  r.b0 = hn::MulAdd(a1, x, r.b0), r.b1 = hn::MulAdd(a1, y, r.b1);
  const V a2 = hn::Set(d, a[2]);
  r.c0 = hn::MulAdd(a2, x, r.c0), r.c1 = hn::MulAdd(a2, y, r.c1);
  const V a3 = hn::Set(d, a[3]);
  r.d0 = hn::MulAdd(a3, x, r.d0), r.d1 = hn::MulAdd(a3, y, r.d1);
}

HWY_INLINE void StoreRow(bool add, V x, V y, float* HWY_RESTRICT c) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  if (add) {
    x = hn::Add(hn::LoadU(d, c), x);
    y = hn::Add(hn::LoadU(d, c + lanes), y);
  }
  hn::StoreU(x, d, c);
  hn::StoreU(y, d, c + lanes);
}

HWY_INLINE void StoreRows(bool add, const Rows4& r, float* c, int64_t stride) {
  StoreRow(add, r.a0, r.a1, c);
  StoreRow(add, r.b0, r.b1, c + stride);
  StoreRow(add, r.c0, r.c1, c + 2 * stride);
  StoreRow(add, r.d0, r.d1, c + 3 * stride);
}

// What a tile asks memory for while it is computed: the tile of C after it, and lines of A.
struct Requests {
  const float* next_c = nullptr;  // null: there is none
  int64_t stride = 0;
  Lookahead* a = nullptr;
};

// One line of either, in turn; `index` counts the calls within a tile.
HWY_INLINE void Request(const Requests& requests, int64_t index) {
  const int64_t row = index >> 1;
  if (requests.next_c != nullptr && row < kTileRows) {
    hwy::Prefetch(requests.next_c + row * requests.stride + (index & 1) * kLine);
  }
  Lookahead& a = *requests.a;
  if (a.next < a.lines) {
    const int64_t a_row = a.next / a.lines_per_row;
    hwy::Prefetch(a.base + a_row * a.stride + (a.next - a_row * a.lines_per_row) * kLine);
    ++a.next;
  }
}

// One whole tile. `a` holds kGroups sub-panels of [depth][4], `b` a panel of [depth][2 vectors].
HWY_NOINLINE void Kernel(int64_t depth, const float* HWY_RESTRICT a, const float* HWY_RESTRICT b,
                         bool add, float* HWY_RESTRICT c, int64_t stride,
                         const Requests& requests) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  Rows4 r0 = ZeroRows();
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  Rows4 r1 = ZeroRows(), r2 = ZeroRows();
  const float* HWY_RESTRICT a1 = a + SubPanel(depth);
  const float* HWY_RESTRICT a2 = a1 + SubPanel(depth);
#endif
  for (int64_t first = 0; first < depth; first += kChunk) {
    Request(requests, first / kChunk);
    const int64_t end = HWY_MIN(first + kChunk, depth);
    for (int64_t p = first; p < end; ++p, b += 2 * lanes, a += 4) {
      const V x = hn::Load(d, b), y = hn::Load(d, b + lanes);
      Step(a, x, y, r0);
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
      Step(a1, x, y, r1);
      Step(a2, x, y, r2);
      a1 += 4, a2 += 4;
#endif
    }
  }
  StoreRows(add, r0, c, stride);
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  StoreRows(add, r1, c + 4 * stride, stride);
  StoreRows(add, r2, c + 8 * stride, stride);
#endif
}

// Writes to[4*p + r] = from[r*stride + p], for p in [0, count).
HWY_INLINE void InterleaveRows(const float* HWY_RESTRICT from, int64_t stride, int64_t count,
                               float* HWY_RESTRICT to) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t p = 0;
  for (; p + lanes <= count; p += lanes) {
    hn::StoreInterleaved4(hn::LoadU(d, from + p), hn::LoadU(d, from + stride + p),
                          hn::LoadU(d, from + 2 * stride + p), hn::LoadU(d, from + 3 * stride + p),
                          d, to + 4 * p);
  }
  for (; p < count; ++p) {
    for (int64_t r = 0; r < 4; ++r) to[4 * p + r] = from[r * stride + p];
  }
}

// Packs the rows [row, row + 4) of op(A), those from `rows` on as zeros: to[4*p + r].
HWY_INLINE void PackFourRows(const GemmShape& shape, const float* HWY_RESTRICT a, int64_t rows,
                             int64_t depth, float* HWY_RESTRICT to) {
  if (rows >= 4 && !shape.transpose_a) return InterleaveRows(a, shape.lda, depth, to);
  const int64_t row_step = shape.transpose_a ? 1 : shape.lda;
  const int64_t depth_step = shape.transpose_a ? shape.lda : 1;
  for (int64_t p = 0; p < depth; ++p) {
    for (int64_t r = 0; r < 4; ++r) {
      to[4 * p + r] = r < rows ? a[r * row_step + p * depth_step] : 0.0f;
    }
  }
}

// Packs a block of op(A) as sub-panels of four rows, [rows / 4][depth][4]; `a` is its first
// element.
HWY_INLINE void PackA(const GemmShape& shape, const float* HWY_RESTRICT a, int64_t rows,
                      int64_t depth, float* HWY_RESTRICT to) {
  const int64_t padded = (rows + kTileRows - 1) / kTileRows * kTileRows;
  const int64_t row_step = shape.transpose_a ? 1 : shape.lda;
  int64_t first = 0;
  if (shape.transpose_a) {  // whole rows of A at a time: they are contiguous
    first = rows / 4 * 4;
    for (int64_t p = 0; p < depth; ++p) {
      const float* HWY_RESTRICT from = a + p * shape.lda;
      float* HWY_RESTRICT out = to + 4 * p;
      for (int64_t r = 0; r < first; r += 4, out += SubPanel(depth)) {
        hwy::CopyBytes<16>(from + r, out);
      }
    }
  }
  for (int64_t r = first; r < padded; r += 4) {
    PackFourRows(shape, r < rows ? a + r * row_step : a, rows - r, depth,
                 to + r / 4 * SubPanel(depth));
  }
}

void PackB(const GemmShape& shape, const float* HWY_RESTRICT b, int64_t columns, int64_t depth,
           float* HWY_RESTRICT to) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t width = 2 * lanes;
  if (!shape.transpose_b && columns == width) {
    for (int64_t p = 0; p < depth; ++p, b += shape.ldb, to += width) {
      hn::Store(hn::LoadU(d, b), d, to);
      hn::Store(hn::LoadU(d, b + lanes), d, to + lanes);
    }
    return;
  }
  int64_t first = 0;
  if (shape.transpose_b) {
    HWY_ALIGN float strip[4 * kGemmDepth];
    for (; first + 4 <= columns; first += 4) {
      InterleaveRows(b + first * shape.ldb, shape.ldb, depth, strip);
      for (int64_t p = 0; p < depth; ++p) {
        hwy::CopyBytes<16>(strip + 4 * p, to + p * width + first);
      }
    }
  }
  const int64_t column_step = shape.transpose_b ? shape.ldb : 1;
  const int64_t depth_step = shape.transpose_b ? 1 : shape.ldb;
  for (int64_t p = 0; p < depth; ++p) {
    for (int64_t j = first; j < width; ++j) {
      to[p * width + j] = j < columns ? b[j * column_step + p * depth_step] : 0.0f;
    }
  }
}

// A tile that hangs over the edge of C goes through a buffer.
HWY_NOINLINE void EdgeKernel(int64_t depth, const float* a, const float* b, bool add, float* c,
                             int64_t stride, int64_t rows, int64_t columns,
                             const Requests& requests) {
  HWY_ALIGN float tile[kMaxTileRows * kMaxGemmTileColumns];
  const int64_t width = 2 * static_cast<int64_t>(hn::Lanes(D()));
  Kernel(depth, a, b, false, tile, width, requests);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      const float value = tile[i * width + j];
      c[i * stride + j] = add ? c[i * stride + j] + value : value;
    }
  }
}

// Where the rows [row, row + rows) of a block of A lie.
Lookahead RowsOfA(const GemmShape& shape, const GemmBlock& block, const float* a, int64_t row,
                  int64_t rows) {
  if (shape.transpose_a) {
    return LookaheadOf(a + block.first_depth * shape.lda + row, shape.lda, block.depth, rows);
  }
  return LookaheadOf(a + row * shape.lda + block.first_depth, shape.lda, rows, block.depth);
}

void MultiplyInBlocks(const GemmShape& shape, const GemmBlock& block, const GemmBlock* after,
                      const float* a, const float* packed_b, float* scratch, float* c) {
  const int64_t width = 2 * static_cast<int64_t>(hn::Lanes(D()));
  for (int64_t r = 0; r < block.rows; r += kRowBlock) {
    const int64_t rows = HWY_MIN(kRowBlock, block.rows - r);
    const int64_t row = block.first_row + r;
    PackA(shape, RowsOfA(shape, block, a, row, rows).base, rows, block.depth, scratch);
    Lookahead next;
    if (r + rows < block.rows) {
      next = RowsOfA(shape, block, a, row + rows, HWY_MIN(kRowBlock, block.rows - r - rows));
    } else if (after != nullptr) {
      next = RowsOfA(shape, *after, a, after->first_row, HWY_MIN(kRowBlock, after->rows));
    }
    for (int64_t j = 0; j < block.columns; j += width) {
      const int64_t columns = HWY_MIN(width, block.columns - j);
      const float* panel = packed_b + j * block.depth;
      for (int64_t i = 0; i < rows; i += kTileRows) {
        float* tile = c + (row + i) * shape.ldc + block.first_column + j;
        const float* rows_of_a = scratch + i / 4 * SubPanel(block.depth);
        const bool more = rows - i >= 2 * kTileRows;
        const Requests requests = {more ? tile + kTileRows * shape.ldc : nullptr, shape.ldc, &next};
        if (columns == width && rows - i >= kTileRows) {
          Kernel(block.depth, rows_of_a, panel, block.add, tile, shape.ldc, requests);
        } else {
          EdgeKernel(block.depth, rows_of_a, panel, block.add, tile, shape.ldc,
                     HWY_MIN(kTileRows, rows - i), columns, requests);
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(Tile);
HWY_EXPORT(TargetName);
HWY_EXPORT(PackB);
HWY_EXPORT(MultiplyInBlocks);

}  // namespace

GemmTile TileOfGemm() { return HWY_DYNAMIC_DISPATCH(Tile)(); }

const char* TargetOfGemm() { return HWY_DYNAMIC_DISPATCH(TargetName)(); }

void PackPanelOfB(const GemmShape& shape, const float* b, int64_t columns, int64_t depth,
                  float* to) {
  HWY_DYNAMIC_DISPATCH(PackB)(shape, b, columns, depth, to);
}

int64_t GemmScratchFloats() { return kRowBlock / 4 * SubPanel(kGemmDepth); }

void MultiplyBlock(const GemmShape& shape, const GemmBlock& block, const GemmBlock* after,
                   const float* a, const float* packed_b, float* scratch, float* c) {
  HWY_DYNAMIC_DISPATCH(MultiplyInBlocks)(shape, block, after, a, packed_b, scratch, c);
}

}  // namespace millwright::math
#endif  // HWY_ONCE
