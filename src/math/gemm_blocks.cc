#include "math/gemm_blocks.h"

#include <algorithm>

#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/gemm_blocks.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h.
#include "math/transpose-inl.h"

#ifndef MILLWRIGHT_MATH_GEMM_BLOCKS_ONCE
#define MILLWRIGHT_MATH_GEMM_BLOCKS_ONCE
namespace millwright::math {
namespace {

constexpr int64_t kLine = 64 / sizeof(float);
constexpr int64_t kChunk = 8;            // steps of depth between two requests ...
constexpr int64_t kLinesPerRequest = 2;  // ... for this many lines

// Walks over the lines of a Lookahead.
class Requests {
 public:
  explicit Requests(const Lookahead& ahead)
      : row_(ahead.data), ld_(ahead.ld), rows_(ahead.rows), to_write_(ahead.to_write) {
    lines_ = (ahead.columns + kLine - 1) / kLine;
    if (lines_ == 0) rows_ = 0;
  }

  void Next() {
    for (int64_t i = 0; i < kLinesPerRequest && rows_ > 0; ++i) {
      const float* const at = row_ + line_ * kLine;
      to_write_ ? __builtin_prefetch(at, 1, 3) : __builtin_prefetch(at, 0, 2);
      if (++line_ < lines_) continue;
      line_ = 0;
      row_ += ld_;
      --rows_;
    }
  }

 private:
  const float* row_;
  int64_t ld_, rows_, lines_ = 0, line_ = 0;
  bool to_write_;
};

}  // namespace
}  // namespace millwright::math
#endif  // MILLWRIGHT_MATH_GEMM_BLOCKS_ONCE

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// A tile: 24 accumulators where there are 32 registers, else 12 of 16. Three vectors wide, since a
// row costs an instruction to spread its element, and eight rows, since half a cache line of A^T is
// then read for a tile, and never parts of two.
constexpr int64_t kVectors = 3;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int64_t kTileRows = 8;
#else
constexpr int64_t kTileRows = 4;
#endif

int64_t Width() { return kVectors * static_cast<int64_t>(hn::Lanes(D())); }

GemmTile Tile() { return {kTileRows, Width()}; }

const char* TargetName() { return hwy::TargetName(HWY_TARGET); }

void Pack(const BlockOfB& b, float* HWY_RESTRICT to) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t width = Width();
  if (b.columns < width) {
    for (int64_t i = 0; i < b.depth * width; i += lanes) hn::Store(hn::Zero(d), d, to + i);
  }
  if (b.transposed) return Transpose(b.data, b.ld, b.columns, b.depth, to, width);
  const float* HWY_RESTRICT from = b.data;
  if (b.columns == width) {
    for (int64_t p = 0; p < b.depth; ++p, from += b.ld, to += width) {
      HWY_UNROLL(3) for (int64_t v = 0; v < kVectors; ++v) {
        hn::Store(hn::LoadU(d, from + v * lanes), d, to + v * lanes);
      }
    }
    return;
  }
  for (int64_t p = 0; p < b.depth; ++p, from += b.ld, to += width) {
    for (int64_t j = 0; j < b.columns; ++j) to[j] = from[j];
  }
}

// The sums of kRows rows of a tile.
template <int64_t kRows>
class Sums {
 public:
  HWY_INLINE Sums() {
    HWY_UNROLL(8) for (auto& row : sums_) { HWY_UNROLL(3) for (V& sum : row) sum = hn::Zero(D()); }
  }

  // Adds the outer product of a[0..kRows) and a row of the panel.
  template <class Column>
  HWY_INLINE void Step(const Column& a, const float* HWY_RESTRICT panel) {
    const D d;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    V b[kVectors];
    HWY_UNROLL(3) for (int64_t v = 0; v < kVectors; ++v) b[v] = hn::Load(d, panel + v * lanes);
    HWY_UNROLL(8) for (int64_t r = 0; r < kRows; ++r) {
      const V value = hn::Set(d, a[r]);
      HWY_UNROLL(3) for (int64_t v = 0; v < kVectors; ++v) {
        sums_[r][v] = hn::MulAdd(value, b[v], sums_[r][v]);
      }
    }
  }

  HWY_INLINE void Store(bool add, float* HWY_RESTRICT c, int64_t ldc) const {
    const D d;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    HWY_UNROLL(8) for (int64_t r = 0; r < kRows; ++r) {
      HWY_UNROLL(3) for (int64_t v = 0; v < kVectors; ++v) {
        float* const at = c + r * ldc + v * lanes;
        hn::StoreU(add ? hn::Add(hn::LoadU(d, at), sums_[r][v]) : sums_[r][v], d, at);
      }
    }
  }

 private:
  V sums_[kRows][kVectors];
};

// The elements of kRows rows of A at one step of depth.
template <int64_t kRows, bool kTransposed>
class ColumnsOfA;

template <int64_t kRows>
class ColumnsOfA<kRows, true> {
 public:
  HWY_INLINE ColumnsOfA(const PanelProduct& product, int64_t row)
      : at_(product.a + row), lda_(product.lda) {}

  HWY_INLINE float operator[](int64_t r) const { return at_[r]; }
  HWY_INLINE void Advance() { at_ += lda_; }

 private:
  const float* HWY_RESTRICT at_;
  int64_t lda_;
};

// Every third row has a pointer of its own: the others are then an offset of an instruction away.
template <int64_t kRows>
class ColumnsOfA<kRows, false> {
 public:
  HWY_INLINE ColumnsOfA(const PanelProduct& product, int64_t row)
      : first_(product.a + row * product.lda),
        third_(first_ + 3 * product.lda),
        sixth_(third_ + 3 * product.lda),
        lda_(product.lda) {}

  HWY_INLINE float operator[](int64_t r) const {
    return (r < 3 ? first_ : r < 6 ? third_ : sixth_)[r % 3 * lda_];
  }
  HWY_INLINE void Advance() { ++first_, ++third_, ++sixth_; }

 private:
  const float *HWY_RESTRICT first_, *HWY_RESTRICT third_, *HWY_RESTRICT sixth_;
  int64_t lda_;
};

// The tile of kRows rows from `row` on. Where it is one of C, the tile after it is asked for.
template <int64_t kRows, bool kTransposed>
HWY_NOINLINE void MultiplyTile(const PanelProduct& product, int64_t row, float* c, int64_t ldc,
                               Requests& requests) {
  const int64_t width = Width(), depth = product.depth;
  const float* HWY_RESTRICT panel = product.panel;
  ColumnsOfA<kRows, kTransposed> a(product, row);
  const bool more = ldc == product.ldc && row + 2 * kRows <= product.rows;
  const float* next_c = more ? c + kRows * ldc : nullptr;
  Sums<kRows> sums;
  int64_t p = 0;
  for (; p + kChunk <= depth; p += kChunk) {
    if (next_c != nullptr && p < kRows * kChunk) {
      for (int64_t j = 0; j < width; j += kLine) __builtin_prefetch(next_c + j, 1, 3);
      next_c += ldc;
    }
    requests.Next();
    HWY_UNROLL(8) for (int64_t i = 0; i < kChunk; ++i, panel += width) {
      sums.Step(a, panel);
      a.Advance();
    }
  }
  for (; p < depth; ++p, panel += width) {
    sums.Step(a, panel);
    a.Advance();
  }
  sums.Store(product.add, c, ldc);
}

// A tile that hangs over the edge of C goes through a buffer.
template <int64_t kRows, bool kTransposed>
HWY_INLINE void MultiplyRows(const PanelProduct& product, int64_t row, Requests& requests) {
  const int64_t width = Width();
  float* const c = product.c + row * product.ldc;
  if (product.columns == width) {
    return MultiplyTile<kRows, kTransposed>(product, row, c, product.ldc, requests);
  }
  HWY_ALIGN float tile[kRows * kMaxGemmTileColumns] = {};
  const auto copy = [&](const float* from, int64_t from_stride, float* to, int64_t to_stride) {
    for (int64_t r = 0; r < kRows; ++r) {
      std::copy_n(from + r * from_stride, product.columns, to + r * to_stride);
    }
  };
  if (product.add) copy(c, product.ldc, tile, width);
  MultiplyTile<kRows, kTransposed>(product, row, tile, width, requests);
  copy(tile, width, c, product.ldc);
}

template <bool kTransposed>
void MultiplyAll(const PanelProduct& product, const Lookahead& ahead) {
  Requests requests(ahead);
  int64_t row = 0;
  for (; row + kTileRows <= product.rows; row += kTileRows) {
    MultiplyRows<kTileRows, kTransposed>(product, row, requests);
  }
  for (; row + 4 <= product.rows; row += 4) MultiplyRows<4, kTransposed>(product, row, requests);
  for (; row < product.rows; ++row) MultiplyRows<1, kTransposed>(product, row, requests);
}

void Multiply(const PanelProduct& product, const Lookahead& ahead) {
  product.transpose_a ? MultiplyAll<true>(product, ahead) : MultiplyAll<false>(product, ahead);
}

void TransposeFloats(const float* from, int64_t stride, int64_t rows, int64_t columns, float* to,
                     int64_t ld) {
  Transpose(from, stride, rows, columns, to, ld);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(Tile);
HWY_EXPORT(TargetName);
HWY_EXPORT(Pack);
HWY_EXPORT(Multiply);
HWY_EXPORT(TransposeFloats);

}  // namespace

GemmTile TileOfGemm() { return HWY_DYNAMIC_DISPATCH(Tile)(); }

const char* TargetOfGemm() { return HWY_DYNAMIC_DISPATCH(TargetName)(); }

void PackPanel(const BlockOfB& b, float* to) { HWY_DYNAMIC_DISPATCH(Pack)(b, to); }

void MultiplyPanel(const PanelProduct& product, const Lookahead& ahead) {
  HWY_DYNAMIC_DISPATCH(Multiply)(product, ahead);
}

void TransposeBlock(const float* from, int64_t stride, int64_t rows, int64_t columns, float* to,
                    int64_t ld) {
  HWY_DYNAMIC_DISPATCH(TransposeFloats)(from, stride, rows, columns, to, ld);
}

}  // namespace millwright::math
#endif  // HWY_ONCE
