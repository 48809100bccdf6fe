// A packed SGEMM on Highway: what is packed when, and who computes what. Every element of C is
// summed in the same order whatever the number of threads.
//
// The kernel spreads elements of its first operand, which it reads where they lie, and vectors of a
// panel of its second one (gemm_blocks.h). Only panels are packed, and all of them once is least
// work if they are those of the larger operand: W, in W * X and W^T * dY. Such a product is
// computed as its own transpose, C^T = B^T A^T, and turned round when a panel's columns are
// complete.
#include <hwy/aligned_allocator.h>

#include <algorithm>
#include <vector>

#include "base/threads.h"
#include "math/gemm_blocks.h"
#include "math/gemm_library.h"

namespace millwright::math {
namespace {

// Sides of blocks, found by measuring. The kernel runs along 27 KiB of a panel, in the first-level
// cache. A panel that is not much deeper (gradients: a sequence of 256) is packed whole, and serves
// all blocks of rows that its thread takes one after another.
constexpr int64_t kDepth = 144, kWholeDepth = 256;
constexpr int64_t kMostRows = 384;        // of a block of rows: a panel is packed for each ...
constexpr int64_t kMostTurnedRows = 512;  // ... and of one of C^T
// Beyond it the kernel would read B in steps that are too long for a cache and for its prefetchers.
constexpr int64_t kMostTurnedColumns = 512;
constexpr int64_t kLine = 64 / sizeof(float);

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

float* PanelScratch() {
  thread_local Scratch scratch;
  return scratch.Get(kWholeDepth * kMaxGemmTileColumns);
}

float* TurnedScratch() {
  thread_local Scratch scratch;
  return scratch.Get(kMostTurnedRows * kMaxGemmTileColumns);
}

// [0, count) in nearly equal parts of at most `most`, all but the last a multiple of `grain`.
struct Parts {
  int64_t count = 0, grain = 1, grains = 0, parts = 0;

  Parts(int64_t all, int64_t most, int64_t multiple)
      : count(all),
        grain(multiple),
        grains((all + multiple - 1) / multiple),
        parts((all + most - 1) / most) {}

  int64_t Begin(int64_t part) const {
    return part == parts ? count : part * grains / parts * grain;
  }
  int64_t Size(int64_t part) const { return Begin(part + 1) - Begin(part); }
};

// A product as the kernel sees it: C or, `turned`, its transpose.
class PanelGemm {
 public:
  PanelGemm(const GemmShape& shape, const float* a, const float* b, float* c)
      : turned_(Turns(shape)),
        accumulate_(shape.accumulate),
        m_(turned_ ? shape.n : shape.m),
        n_(turned_ ? shape.m : shape.n),
        a_(turned_ ? b : a),
        b_(turned_ ? a : b),
        c_(c),
        lda_(turned_ ? shape.ldb : shape.lda),
        ldb_(turned_ ? shape.lda : shape.ldb),
        ldc_(shape.ldc),
        a_transposed_(turned_ ? !shape.transpose_b : shape.transpose_a),
        b_transposed_(turned_ ? !shape.transpose_a : shape.transpose_b),
        width_(TileOfGemm().columns),
        rows_(m_, turned_ ? kMostTurnedRows : kMostRows, TileOfGemm().rows),
        whole_(shape.k <= kWholeDepth),
        depths_(shape.k, kDepth, kLine),
        packed_(static_cast<size_t>(GetThreads()), -1) {}

  // Blocks of rows times panels.
  int64_t Units() const { return rows_.parts * Panels(); }

  // Computes one on a thread of a loop.
  void Run(int64_t unit, int thread) {
    const int64_t panel = PanelOf(unit), part = PartOf(unit);
    const int64_t row = rows_.Begin(part), rows = rows_.Size(part);
    const int64_t column = panel * width_, columns = std::min(width_, n_ - column);
    float* const turned = turned_ ? TurnedScratch() : nullptr;
    float* const c = c_ + (turned_ ? column * ldc_ + row : row * ldc_ + column);
    if (turned_ && accumulate_) TransposeBlock(c, ldc_, columns, rows, turned, width_);
    for (int64_t i = 0; i < depths_.parts; ++i) {
      const int64_t depth = depths_.Begin(i);
      const bool last = i + 1 == depths_.parts;
      const Lookahead written = {c, ldc_, columns, rows, true};
      MultiplyPanel({.rows = rows,
                     .columns = turned_ ? width_ : columns,
                     .depth = depths_.Size(i),
                     .a = a_ + (a_transposed_ ? depth * lda_ + row : row * lda_ + depth),
                     .lda = lda_,
                     .transpose_a = a_transposed_,
                     .panel = Packed(panel, i, thread),
                     .c = turned_ ? turned : c,
                     .ldc = turned_ ? width_ : ldc_,
                     .add = i > 0 || accumulate_},
                    last && turned_ ? written : AheadOf(unit, i));
    }
    if (turned_) TransposeBlock(turned, width_, rows, columns, c, ldc_);
  }

 private:
  static bool Turns(const GemmShape& shape) {
    if (shape.n > kMostTurnedColumns) return false;
    return shape.transpose_a || (!shape.transpose_b && shape.m > shape.n);
  }

  // Where panels are packed whole, the blocks of rows that share one are neighbours; else the
  // panels that share a block of rows.
  int64_t PanelOf(int64_t unit) const { return whole_ ? unit / rows_.parts : unit % Panels(); }
  int64_t PartOf(int64_t unit) const { return whole_ ? unit % rows_.parts : unit / Panels(); }

  // A part of a panel, in this thread's scratch.
  const float* Packed(int64_t panel, int64_t depth_part, int thread) {
    float* const scratch = PanelScratch();
    int64_t& packed = packed_[static_cast<size_t>(thread)];
    if (!whole_) {
      PackPanel(Block(panel, depth_part), scratch);
      return scratch;
    }
    for (int64_t i = 0; i < depths_.parts && packed != panel; ++i) {
      PackPanel(Block(panel, i), scratch + depths_.Begin(i) * width_);
    }
    packed = panel;
    return scratch + depths_.Begin(depth_part) * width_;
  }

  // What will be packed after a part of a panel: the next one, or the first of the unit that this
  // thread will probably take next.
  Lookahead AheadOf(int64_t unit, int64_t depth_part) const {
    if (!whole_ && depth_part + 1 < depths_.parts) {
      return Ahead(Block(PanelOf(unit), depth_part + 1));
    }
    const int64_t then = unit + GetThreads();
    if (then >= Units() || (whole_ && PanelOf(then) == PanelOf(unit))) return {};
    return Ahead(Block(PanelOf(then), whole_ ? depth_part : 0));
  }

  static Lookahead Ahead(const BlockOfB& b) {
    if (b.transposed) return {b.data, b.ld, b.columns, b.depth};
    return {b.data, b.ld, b.depth, b.columns};
  }

  int64_t Panels() const { return (n_ + width_ - 1) / width_; }

  BlockOfB Block(int64_t panel, int64_t depth_part) const {
    const int64_t column = panel * width_, depth = depths_.Begin(depth_part);
    return {.data = b_ + (b_transposed_ ? column * ldb_ + depth : depth * ldb_ + column),
            .ld = ldb_,
            .transposed = b_transposed_,
            .depth = depths_.Size(depth_part),
            .columns = std::min(width_, n_ - column)};
  }

  bool turned_, accumulate_;
  int64_t m_, n_;
  const float *a_, *b_;
  float* c_;
  int64_t lda_, ldb_, ldc_;
  bool a_transposed_, b_transposed_;
  int64_t width_;
  Parts rows_;
  bool whole_;
  Parts depths_;
  std::vector<int64_t> packed_;  // by thread: the panel that lies whole in its scratch
};

}  // namespace

std::string HighwayGemmName() { return std::string("highway:") + TargetOfGemm(); }

bool HighwayGemmIsWide() { return TileOfGemm().columns == kMaxGemmTileColumns; }

void HighwayGemm(const GemmShape& shape, const float* a, const float* b, float* c) {
  if (shape.m <= 0 || shape.n <= 0 || shape.k <= 0) return;
  PanelGemm product(shape, a, b, c);
  ParallelUnits(product.Units(), [&](int64_t unit, int thread) { product.Run(unit, thread); });
}

}  // namespace millwright::math
