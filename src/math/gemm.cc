#include "math/gemm.h"

#include <algorithm>

#include "base/threads.h"
#include "math/gemm_library.h"
#include "math/gemm_table.h"
#include "math/gemv.h"

namespace millwright::math {
namespace {

constexpr char kTableVersion[] = "table-4";

// The default choice for a shape, from these figures: % of the FMA peak (497 GFLOP/s) on two cores
// of an AVX-512 Xeon (Sapphire Rapids), oneDNN 2.6.3, 256 positions, the best of many runs on an
// idle machine; from the layers of Stories110M and Qwen3-0.6B and a classifier of 6,839 words.
//
//   product                                   sgemm    matmul   highway
//   forward    Y = W * X                      77..82   68..78   73..80
//   backward   dX = W^T * dY                  50..76   69..74   71..78   sgemm: 50..60 for most W
//   gradient   dW += dY * X^T (k = 256)       82..88   73..83   70..80
//
// Those figures are of operands in a cache and an idle machine. Within a step weights come from
// memory, and neighbours on the same cores take their part of the caches: there oneDNN's matmul
// gains on Highway where A^T is deep (k >= m), and Highway, which asks for the next block of A
// while it works on one, where it is wide. Backward kernels in times of the forward kernels beside
// them, Stories110M, medians of three runs each: Highway for all 1.29, matmul for all 1.17, this
// choice 1.10.
//
// A product with a vector reads each weight once, and is as fast as memory.
GemmKind Choose(const GemmShape& shape) {
  if (AsGemv(shape).possible) return GemmKind::kGemv;
  if (!HasLibrarySgemm()) return GemmKind::kHighway;
  if (!shape.transpose_a) return GemmKind::kLibrarySgemm;
  constexpr int64_t kSmall = 64;  // below it Highway's packing and padding weigh more
  const bool large = shape.m >= kSmall && shape.n >= kSmall && shape.k >= kSmall;
  if (large && shape.m > shape.k && HighwayGemmIsWide()) return GemmKind::kHighway;
  return HasLibraryMatmul() ? GemmKind::kLibraryMatmul : GemmKind::kLibrarySgemm;
}

bool IsAvailable(const GemmShape& shape, GemmKind kind) {
  switch (kind) {
    case GemmKind::kGemv:
      return AsGemv(shape).possible;
    case GemmKind::kLibrarySgemm:
      return HasLibrarySgemm();
    case GemmKind::kLibraryMatmul:
      return HasLibraryMatmul();
    case GemmKind::kAuto:
    case GemmKind::kHighway:
      return true;
  }
  return false;
}

GemmKind Resolve(const GemmShape& shape, GemmKind kind, const GemmTable& table) {
  if (kind == GemmKind::kAuto) kind = table.Find(shape).value_or(GemmKind::kAuto);
  if (kind == GemmKind::kAuto) return Choose(shape);
  return IsAvailable(shape, kind) ? kind : GemmKind::kHighway;
}

void RunGemv(const GemmShape& shape, const float* a, const float* b, float* c) {
  const GemvForm form = AsGemv(shape);
  form.matrix_is_a ? Gemv(form.shape, a, b, c) : Gemv(form.shape, b, a, c);
}

template <class T>
void ClearUnlessAccumulating(const GemmShape& shape, T* c) {
  if (shape.accumulate) return;
  for (int64_t i = 0; i < shape.m; ++i) std::fill_n(c + i * shape.ldc, shape.n, T(0));
}

}  // namespace

GemmShape DenseGemm(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b,
                    bool accumulate) {
  return {.m = m,
          .n = n,
          .k = k,
          .transpose_a = transpose_a,
          .transpose_b = transpose_b,
          .lda = transpose_a ? m : k,
          .ldb = transpose_b ? k : n,
          .ldc = n,
          .accumulate = accumulate};
}

struct GemmEngine::Impl {
  std::shared_ptr<const GemmTable> table;
  LibraryMatmul matmul;
};

GemmEngine::GemmEngine(std::shared_ptr<const GemmTable> table) : impl_(std::make_unique<Impl>()) {
  impl_->table = table != nullptr ? std::move(table) : std::make_shared<GemmTable>();
}
GemmEngine::~GemmEngine() = default;

void GemmEngine::Run(const GemmShape& shape, const float* a, const float* b, float* c,
                     GemmKind kind) {
  if (shape.m <= 0 || shape.n <= 0) return;
  if (shape.k <= 0) return ClearUnlessAccumulating(shape, c);
  switch (Resolve(shape, kind, *impl_->table)) {
    case GemmKind::kLibrarySgemm:
      return LibrarySgemm(shape, a, b, c);
    case GemmKind::kLibraryMatmul:
      return impl_->matmul.Run(shape, a, b, c);
    case GemmKind::kGemv:
      return RunGemv(shape, a, b, c);
    case GemmKind::kAuto:
    case GemmKind::kHighway:
      return HighwayGemm(shape, a, b, c);
  }
}

void GemmEngine::Run(const GemmShape& shape, const double* a, const double* b, double* c) {
  ParallelFor(shape.m, 1, [&](int64_t begin, int64_t end) {
    GemmShape part = shape;
    part.m = end - begin;
    ScalarGemm(part, a + begin * (shape.transpose_a ? 1 : shape.lda), b, c + begin * shape.ldc);
  });
}

std::string GemmEngine::Describe(const GemmShape& shape, GemmKind kind) {
  switch (Resolve(shape, kind, *impl_->table)) {
    case GemmKind::kLibrarySgemm:
      return LibrarySgemmName();
    case GemmKind::kLibraryMatmul:
      return impl_->matmul.Describe(shape);
    case GemmKind::kGemv:
      return GemvName();
    case GemmKind::kAuto:
    case GemmKind::kHighway:
      break;
  }
  return HighwayGemmName();
}

bool GemmEngine::Has(GemmKind kind) const { return IsAvailable({.m = 1, .n = 1, .k = 1}, kind); }

const GemmTable& GemmEngine::table() const { return *impl_->table; }

std::string GemmEngine::TableName() const {
  const std::string library = GemmLibraryName();
  return (library.empty() ? HighwayGemmName() : library + "+" + HighwayGemmName()) + "/" +
         kTableVersion;
}

}  // namespace millwright::math
