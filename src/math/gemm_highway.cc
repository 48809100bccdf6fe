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
#include <span>
#include <vector>

#include "base/threads.h"
#include "math/gemm_blocks.h"
#include "math/gemm_library.h"

namespace millwright::math {
namespace {

// Sides of blocks, found by measuring. The kernel runs along 27 KiB of a panel, in the first-level
// cache. A panel that is not much deeper (gradients: a sequence of 256) is packed whole, and serves
// all blocks of rows that its thread takes one after another.
constexpr int64_t kPanelFloats = 144 * kMaxGemmTileColumns, kWholeDepth = 256;
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
  // A block of rows of a panel's columns of C.
  struct Unit {
    int64_t panel = 0, part = 0;
  };

  // What a thread probably does after a unit: null if nothing.
  struct Next {
    const PanelGemm* product = nullptr;
    Unit unit;
  };

  // The place of a unit in a sum of products: those between keep it in the thread's scratch.
  struct Place {
    bool first = true, last = true;
  };

  explicit PanelGemm(const GemmCall& call)
      : shape_(call.shape),
        turned_(Turns(shape_)),
        m_(turned_ ? shape_.n : shape_.m),
        n_(turned_ ? shape_.m : shape_.n),
        a_(turned_ ? call.b : call.a),
        b_(turned_ ? call.a : call.b),
        c_(call.c),
        lda_(turned_ ? shape_.ldb : shape_.lda),
        ldb_(turned_ ? shape_.lda : shape_.ldb),
        a_transposed_(turned_ ? !shape_.transpose_b : shape_.transpose_a),
        b_transposed_(turned_ ? !shape_.transpose_a : shape_.transpose_b),
        width_(TileOfGemm().columns),
        rows_(m_, turned_ ? kMostTurnedRows : kMostRows, TileOfGemm().rows),
        whole_(shape_.k <= kWholeDepth),
        depths_(shape_.k, kPanelFloats / width_ / kLine * kLine, kLine) {}

  int64_t Units() const { return rows_.parts * Panels(); }

  // Where panels are packed whole, the blocks of rows that share one are neighbours; else the
  // panels that share a block of rows.
  Unit UnitAt(int64_t index) const {
    if (whole_) return {index / rows_.parts, index % rows_.parts};
    return {index % Panels(), index / Panels()};
  }

  // Whether `call` adds to what this product writes, and can do so unit by unit.
  bool IsContinuedBy(const GemmCall& call) const {
    const GemmShape& s = call.shape;
    return call.c == c_ && s.accumulate && s.m == shape_.m && s.n == shape_.n &&
           s.ldc == shape_.ldc && Turns(s) == turned_;
  }

  // Computes a unit on a thread of a loop. `packed` is the panel of this product that lies whole in
  // the thread's scratch, or -1.
  void Run(Unit unit, Place place, Next next, int64_t* packed) const {
    const int64_t row = rows_.Begin(unit.part), rows = rows_.Size(unit.part);
    const int64_t column = unit.panel * width_, columns = std::min(width_, n_ - column);
    const int64_t ldc = shape_.ldc;
    const bool reads = shape_.accumulate && place.first;
    float* const turned = turned_ ? TurnedScratch() : nullptr;
    float* const c = c_ + (turned_ ? column * ldc + row : row * ldc + column);
    if (turned_ && reads) TransposeBlock(c, ldc, columns, rows, turned, width_);
    for (int64_t i = 0; i < depths_.parts; ++i) {
      const int64_t depth = depths_.Begin(i);
      const bool turns = turned_ && place.last && i + 1 == depths_.parts;
      const Lookahead written = {c, ldc, columns, rows, true};
      MultiplyPanel({.rows = rows,
                     .columns = turned_ ? width_ : columns,
                     .depth = depths_.Size(i),
                     .a = a_ + (a_transposed_ ? depth * lda_ + row : row * lda_ + depth),
                     .lda = lda_,
                     .transpose_a = a_transposed_,
                     .panel = Packed(unit.panel, i, packed),
                     .c = turned_ ? turned : c,
                     .ldc = turned_ ? width_ : ldc,
                     .add = i > 0 || shape_.accumulate},
                    turns ? written : AheadOf(unit, i, next));
    }
    if (turned_ && place.last) TransposeBlock(turned, width_, rows, columns, c, ldc);
  }

 private:
  static bool Turns(const GemmShape& shape) {
    if (shape.n > kMostTurnedColumns) return false;
    return shape.transpose_a || (!shape.transpose_b && shape.m > shape.n);
  }

  // A part of a panel, in this thread's scratch.
  const float* Packed(int64_t panel, int64_t depth_part, int64_t* packed) const {
    float* const scratch = PanelScratch();
    if (!whole_) {
      PackPanel(Block(panel, depth_part), scratch);
      return scratch;
    }
    for (int64_t i = 0; i < depths_.parts && *packed != panel; ++i) {
      PackPanel(Block(panel, i), scratch + depths_.Begin(i) * width_);
    }
    *packed = panel;
    return scratch + depths_.Begin(depth_part) * width_;
  }

  // What will be packed after a part of a panel: the next one, or the first of the next unit.
  Lookahead AheadOf(Unit unit, int64_t depth_part, Next next) const {
    if (!whole_ && depth_part + 1 < depths_.parts) return Ahead(Block(unit.panel, depth_part + 1));
    if (next.product == nullptr) return {};
    const PanelGemm& then = *next.product;
    if (!then.whole_) return Ahead(then.Block(next.unit.panel, 0));
    const bool there = &then == this && next.unit.panel == unit.panel;
    if (there || depth_part >= then.depths_.parts) return {};
    return Ahead(then.Block(next.unit.panel, depth_part));
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

  GemmShape shape_;
  bool turned_;
  int64_t m_, n_;
  const float *a_, *b_;
  float* c_;
  int64_t lda_, ldb_;
  bool a_transposed_, b_transposed_;
  int64_t width_;
  Parts rows_;
  bool whole_;
  Parts depths_;
};

// The units of several products in a row. Those of a sum are one: who writes an element of C also
// adds to it.
class PanelGemms {
 public:
  explicit PanelGemms(std::span<const GemmCall> calls)
      : packed_(static_cast<size_t>(GetThreads())) {
    products_.reserve(calls.size());
    for (const GemmCall& call : calls) {
      const bool continues = !products_.empty() && products_.back().IsContinuedBy(call);
      products_.emplace_back(call);
      if (continues) {
        ++sums_.back().products;
        continue;
      }
      sums_.push_back({products_.size() - 1, 1, units_});
      units_ += products_.back().Units();
    }
  }

  int64_t Units() const { return units_; }

  void Run(int64_t unit, int thread) {
    const Sum& sum = SumOf(unit);
    const PanelGemm::Unit at = products_[sum.first].UnitAt(unit - sum.units_before);
    for (size_t i = 0; i < sum.products; ++i) {
      const size_t number = sum.first + i;
      const bool last = i + 1 == sum.products;
      const PanelGemm::Next next =
          last ? NextOf(unit) : PanelGemm::Next{&products_[number + 1], at};
      Packed& packed = packed_[static_cast<size_t>(thread)];
      if (packed.product != number) packed = {number, -1};
      products_[number].Run(at, {.first = i == 0, .last = last}, next, &packed.panel);
    }
  }

 private:
  struct Sum {
    size_t first = 0, products = 1;
    int64_t units_before = 0;
  };

  // The panel that lies whole in a thread's scratch, and whose it is.
  struct Packed {
    size_t product = 0;
    int64_t panel = -1;
  };

  const Sum& SumOf(int64_t unit) const {
    size_t i = sums_.size() - 1;
    while (sums_[i].units_before > unit) --i;
    return sums_[i];
  }

  PanelGemm::Next NextOf(int64_t unit) const {
    const int64_t then = unit + GetThreads();
    if (then >= units_) return {};
    const Sum& sum = SumOf(then);
    const PanelGemm& product = products_[sum.first];
    return {&product, product.UnitAt(then - sum.units_before)};
  }

  std::vector<PanelGemm> products_;
  std::vector<Sum> sums_;
  int64_t units_ = 0;
  std::vector<Packed> packed_;  // by thread
};

}  // namespace

std::string HighwayGemmName() { return std::string("highway:") + TargetOfGemm(); }

void HighwayGemms(std::span<const GemmCall> calls) {
  while (!calls.empty()) {
    size_t count = 1;
    const auto apart = [&] {
      const GemmCall &before = calls[count - 1], &call = calls[count];
      return call.c != before.c || PanelGemm(before).IsContinuedBy(call);
    };
    while (count < calls.size() && apart()) ++count;
    PanelGemms products(calls.first(count));
    ParallelUnits(products.Units(), [&](int64_t unit, int thread) { products.Run(unit, thread); });
    calls = calls.subspan(count);
  }
}

void HighwayGemm(const GemmShape& shape, const float* a, const float* b, float* c) {
  if (shape.m <= 0 || shape.n <= 0 || shape.k <= 0) return;
  const GemmCall call = {shape, a, b, c};
  HighwayGemms({&call, 1});
}

}  // namespace millwright::math
