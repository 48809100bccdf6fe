// A packed SGEMM on Highway: what is packed when, and who computes what. Every element of C is
// summed in the same order whatever the number of threads.
#include <hwy/aligned_allocator.h>

#include <algorithm>

#include "base/round_up.h"
#include "base/threads.h"
#include "math/gemm_blocks.h"
#include "math/gemm_library.h"

namespace millwright::math {
namespace {

constexpr int64_t kPackedFloats = 1 << 21;  // of B at a time, 8 MiB ...
constexpr int64_t kMaxColumns = 2048;       // ... and columns

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
  return scratch.Get(GemmScratchFloats());
}

float* ScratchForB(int64_t count) {
  thread_local Scratch scratch;
  return scratch.Get(count);
}

// One step along k: all of them are nearly equally deep.
GemmBlock StepOf(const GemmShape& shape, int64_t first_column, int64_t columns, int64_t step) {
  const int64_t steps = (shape.k + kGemmDepth - 1) / kGemmDepth;
  GemmBlock block;
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

  float* At(const GemmBlock& step, int64_t column) const {
    return data + step.first_depth * padded_columns + column * step.depth;
  }
};

void PackColumns(const GemmShape& shape, const GemmTile& tile, const float* b,
                 const PackedB& packed) {
  ParallelFor(packed.columns, tile.columns, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < packed.steps; ++i) {
      const GemmBlock step = StepOf(shape, packed.first_column, packed.columns, i);
      for (int64_t j = begin; j < end; j += tile.columns) {
        const int64_t column = packed.first_column + j;
        const float* from = shape.transpose_b ? b + column * shape.ldb + step.first_depth
                                              : b + step.first_depth * shape.ldb + column;
        PackPanelOfB(shape, from, std::min(tile.columns, packed.columns - j), step.depth,
                     packed.At(step, j));
      }
    }
  });
}

// All steps of the rows [begin, end), or of the columns where there are too few rows to share.
void MultiplyColumns(const GemmShape& shape, const GemmTile& tile, const float* a,
                     const PackedB& packed, float* c) {
  const bool by_rows = shape.m >= 2 * tile.rows * GetThreads();
  const int64_t count = by_rows ? shape.m : packed.columns;
  ParallelFor(count, by_rows ? tile.rows : tile.columns, [&](int64_t begin, int64_t end) {
    const auto part_of = [&](int64_t step) {
      GemmBlock part = StepOf(shape, packed.first_column, packed.columns, step);
      (by_rows ? part.first_row : part.first_column) += begin;
      (by_rows ? part.rows : part.columns) = end - begin;
      return part;
    };
    for (int64_t i = 0; i < packed.steps; ++i) {
      const GemmBlock part = part_of(i);
      const GemmBlock after = i + 1 < packed.steps ? part_of(i + 1) : part;
      MultiplyBlock(shape, part, i + 1 < packed.steps ? &after : nullptr, a,
                    packed.At(part, by_rows ? 0 : begin), ScratchForA(), c);
    }
  });
}

}  // namespace

std::string HighwayGemmName() { return std::string("highway:") + TargetOfGemm(); }

bool HighwayGemmIsWide() { return TileOfGemm().columns == kMaxGemmTileColumns; }

void HighwayGemm(const GemmShape& shape, const float* a, const float* b, float* c) {
  if (shape.m <= 0 || shape.n <= 0 || shape.k <= 0) return;
  const GemmTile tile = TileOfGemm();
  const int64_t widest =
      std::clamp(RoundUp(kPackedFloats / shape.k, tile.columns), tile.columns, kMaxColumns);
  const int64_t width = std::min(widest, RoundUp(shape.n, tile.columns));
  PackedB packed;
  packed.steps = (shape.k + kGemmDepth - 1) / kGemmDepth;
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
