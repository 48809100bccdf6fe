// A packed SGEMM on Highway: blocks of B go into panels of two vectors' width that stay in the
// second-level cache, blocks of A into panels of a few rows, and a kernel keeps one tile of C in
// registers. Every element of C is summed in the same order whatever the number of threads.
// Source of the blocking: Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication", 2008.
#include <algorithm>

#include "base/threads.h"
#include "math/gemm.h"
#include "math/gemm_library.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/gemm_highway.cc"
#include "hwy/aligned_allocator.h"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef MILLWRIGHT_MATH_GEMM_HIGHWAY_ONCE
#define MILLWRIGHT_MATH_GEMM_HIGHWAY_ONCE
namespace millwright::math {
namespace {

constexpr int64_t kDepth = 256;     // of a block of A and B, at most: 40 KiB of a panel of B
constexpr int64_t kRowBlock = 240;  // rows of a block of A: 300 KiB, in the second-level cache
constexpr int64_t kPackedFloats = 1 << 21;  // of B at a time, 8 MiB ...
constexpr int64_t kMaxColumns = 2048;       // ... and columns
constexpr int64_t kMaxTileRows = 12;
constexpr int64_t kMaxTileColumns = 32;

// Floats from one sub-panel of A, four rows, to the next. The cache line more than they fill keeps
// the sub-panels of a power of two apart: 4 KiB, and they would evict each other. That line alone
// took W^T * dY from 68% to 78% of the peak of one core.
constexpr int64_t SubPanel(int64_t depth) { return 4 * depth + 16; }

// The tile of C that the kernel holds in registers.
struct TileSize {
  int64_t rows = 0, columns = 0;
};

// One block of the product: C[rows, first_column...] += A[rows, depth] * B[depth, columns].
struct Block {
  int64_t first_row = 0, rows = 0;
  int64_t first_column = 0, columns = 0;
  int64_t first_depth = 0, depth = 0;
  bool add = false;  // to C, instead of overwriting it
};

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
#endif  // MILLWRIGHT_MATH_GEMM_HIGHWAY_ONCE

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

TileSize Tile() { return {kTileRows, 2 * static_cast<int64_t>(hn::Lanes(D()))}; }

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

// Packs `columns` columns of op(B) from its element `b` as one panel [depth][tile columns], padded
// with zeros.
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
    HWY_ALIGN float strip[4 * kDepth];
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
  HWY_ALIGN float tile[kMaxTileRows * kMaxTileColumns];
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
Lookahead RowsOfA(const GemmShape& shape, const Block& block, const float* a, int64_t row,
                  int64_t rows) {
  if (shape.transpose_a) {
    return LookaheadOf(a + block.first_depth * shape.lda + row, shape.lda, block.depth, rows);
  }
  return LookaheadOf(a + row * shape.lda + block.first_depth, shape.lda, rows, block.depth);
}

// One block of C from A and the packed panels of B; `scratch` holds a packed block of A, and
// `after` is the block that follows, if one does.
void MultiplyBlock(const GemmShape& shape, const Block& block, const Block* after, const float* a,
                   const float* packed_b, float* scratch, float* c) {
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
HWY_EXPORT(MultiplyBlock);

// Memory that its thread keeps from one product to the next: fresh pages cost as much as a small
// product.
class Scratch {
 public:
  float* Get(int64_t count) {
    if (count > count_) {
      data_ = hwy::AllocateAligned<float>(static_cast<size_t>(count));
      count_ = count;
    }
    return data_.get();
  }

 private:
  hwy::AlignedFreeUniquePtr<float[]> data_;
  int64_t count_ = 0;
};

float* ScratchForA() {
  thread_local Scratch scratch;
  return scratch.Get(kRowBlock / 4 * SubPanel(kDepth));
}

float* ScratchForB(int64_t count) {
  thread_local Scratch scratch;
  return scratch.Get(count);
}

int64_t RoundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// One step along k: all of them are nearly equally deep.
Block StepOf(const GemmShape& shape, int64_t first_column, int64_t columns, int64_t step) {
  const int64_t steps = (shape.k + kDepth - 1) / kDepth;
  Block block;
  block.rows = shape.m;
  block.first_column = first_column;
  block.columns = columns;
  block.first_depth = step * shape.k / steps;
  block.depth = (step + 1) * shape.k / steps - block.first_depth;
  block.add = shape.accumulate || step > 0;
  return block;
}

// Some columns of B, packed step by step: a step's panels lie together.
struct PackedB {
  int64_t first_column = 0, columns = 0, padded_columns = 0, steps = 0;
  float* data = nullptr;

  float* At(const Block& step, int64_t column) const {
    return data + step.first_depth * padded_columns + column * step.depth;
  }
};

void PackColumns(const GemmShape& shape, const TileSize& tile, const float* b,
                 const PackedB& packed) {
  ParallelFor(packed.columns, tile.columns, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < packed.steps; ++i) {
      const Block step = StepOf(shape, packed.first_column, packed.columns, i);
      for (int64_t j = begin; j < end; j += tile.columns) {
        const int64_t column = packed.first_column + j;
        const float* from = shape.transpose_b ? b + column * shape.ldb + step.first_depth
                                              : b + step.first_depth * shape.ldb + column;
        HWY_DYNAMIC_DISPATCH(PackB)
        (shape, from, std::min(tile.columns, packed.columns - j), step.depth, packed.At(step, j));
      }
    }
  });
}

// All steps of the rows [begin, end), or of the columns where there are too few rows to share.
void MultiplyColumns(const GemmShape& shape, const TileSize& tile, const float* a,
                     const PackedB& packed, float* c) {
  const bool by_rows = shape.m >= 2 * tile.rows * GetThreads();
  const int64_t count = by_rows ? shape.m : packed.columns;
  ParallelFor(count, by_rows ? tile.rows : tile.columns, [&](int64_t begin, int64_t end) {
    const auto part_of = [&](int64_t step) {
      Block part = StepOf(shape, packed.first_column, packed.columns, step);
      (by_rows ? part.first_row : part.first_column) += begin;
      (by_rows ? part.rows : part.columns) = end - begin;
      return part;
    };
    for (int64_t i = 0; i < packed.steps; ++i) {
      const Block part = part_of(i);
      const Block after = i + 1 < packed.steps ? part_of(i + 1) : part;
      HWY_DYNAMIC_DISPATCH(MultiplyBlock)
      (shape, part, i + 1 < packed.steps ? &after : nullptr, a,
       packed.At(part, by_rows ? 0 : begin), ScratchForA(), c);
    }
  });
}

}  // namespace

std::string HighwayGemmName() {
  return std::string("highway:") + HWY_DYNAMIC_DISPATCH(TargetName)();
}

bool HighwayGemmIsWide() { return HWY_DYNAMIC_DISPATCH(Tile)().columns == kMaxTileColumns; }

void HighwayGemm(const GemmShape& shape, const float* a, const float* b, float* c) {
  if (shape.m <= 0 || shape.n <= 0 || shape.k <= 0) return;
  const TileSize tile = HWY_DYNAMIC_DISPATCH(Tile)();
  const int64_t widest =
      std::clamp(RoundUp(kPackedFloats / shape.k, tile.columns), tile.columns, kMaxColumns);
  const int64_t width = std::min(widest, RoundUp(shape.n, tile.columns));
  PackedB packed;
  packed.steps = (shape.k + kDepth - 1) / kDepth;
  packed.data = ScratchForB(width * shape.k);
  for (int64_t j = 0; j < shape.n; j += width) {
    packed.first_column = j;
    packed.columns = std::min(width, shape.n - j);
    packed.padded_columns = RoundUp(packed.columns, tile.columns);
    PackColumns(shape, tile, b, packed);
    MultiplyColumns(shape, tile, a, packed, c);
  }
}

}  // namespace millwright::math
#endif  // HWY_ONCE
