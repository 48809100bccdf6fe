#include "math/gemm.h"

#include <algorithm>

#include "base/aligned.h"
#include "base/threads.h"
#include "math/convert.h"
#include "math/gemm_library.h"
#include "math/gemm_table.h"
#include "math/gemv.h"

namespace millwright::math {
namespace {

constexpr char kTableVersion[] = "table-6";

// The default choice for a shape, from these figures: % of the FMA rate beside, on two cores of an
// AVX-512 Xeon and of a Zen 4, oneDNN 2.6.3, 256 positions, medians in turns within one process,
// weights from memory; from the layers of Stories110M.
//
//   product                                    sgemm    matmul   highway
//   forward    Y = W * X              Xeon     90..92   87..91   83..85
//                                     Zen 4    92..93   93..93   88..90
//                             Zen 4 by AVX2    77..86   77..86   86..86
//   backward   dX = W^T * dY          Xeon     48..82   78..82   84..86
//                                     Zen 4    85..93   78..87   83..92
//                             Zen 4 by AVX2    37..67   37..67   79..82
//   gradient   dW += dY * X^T (k = 256)
//                                     Xeon     83..85   77..78   87..90
//                                     Zen 4    89..94   83..85   90..94
//                             Zen 4 by AVX2    88..93   84..87   87..91
//
// Where neighbours take part of the cores and caches, all lose, and the last column, which hands
// out its work in small units, gains on the others. Products that are carried out at once are ours
// alone. Within a step ours is even with sgemm where that is ahead here: forward kernels took 174
// against 181 ms at best on the Xeon, 246 against 262 by AVX2 on the Zen 4. With 1,024 positions
// and more sgemm is the fastest for forward and backward (80..90 against 57..85 on the Xeon, and no
// less for backward than for forward).
//
// A product with a vector reads each weight once, and is as fast as memory.
GemmKind Choose(const GemmShape& shape) {
  if (AsGemv(shape).possible) return GemmKind::kGemv;
  if (!HasLibrarySgemm()) return GemmKind::kHighway;
  constexpr int64_t kSmall = 64;  // below it padding weighs more
  const bool large = shape.m >= kSmall && shape.n >= kSmall && shape.k >= kSmall;
  constexpr int64_t kLong = 512;  // positions
  const bool is_long = !shape.transpose_b && shape.n > kLong;
  if (large && !is_long) return GemmKind::kHighway;
  if (!shape.transpose_a || is_long || !HasLibraryMatmul()) return GemmKind::kLibrarySgemm;
  return GemmKind::kLibraryMatmul;
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

// An operand as it lies in memory.
struct Stored {
  int64_t rows, columns, stride;

  int64_t elements() const { return rows * columns; }
};

Stored StoredA(const GemmShape& s) {
  return s.transpose_a ? Stored{s.k, s.m, s.lda} : Stored{s.m, s.k, s.lda};
}

Stored StoredB(const GemmShape& s) {
  return s.transpose_b ? Stored{s.n, s.k, s.ldb} : Stored{s.k, s.n, s.ldb};
}

// `shape` with operands that lie densely.
GemmShape WithDenseOperands(GemmShape shape) {
  shape.lda = StoredA(shape).columns;
  shape.ldb = StoredB(shape).columns;
  return shape;
}

// Memory for dense copies of both operands as elements of T. It only grows.
template <class T>
struct OperandCopies {
  AlignedBuffer<T> a, b;

  void Reserve(const GemmShape& shape) {
    Grow(StoredA(shape).elements(), a);
    Grow(StoredB(shape).elements(), b);
  }

 private:
  static void Grow(int64_t elements, AlignedBuffer<T>& buffer) {
    if (buffer.size() >= static_cast<size_t>(elements)) return;
    buffer = AlignedBuffer<T>(static_cast<size_t>(elements));
  }
};

void Round(const Stored& matrix, const float* from, Bf16* to) {
  ConvertBlock(matrix.rows, matrix.columns, DType::kFp32, from, matrix.stride, DType::kBf16, to,
               matrix.columns);
}

void Widen(const Stored& matrix, const Bf16* from, float* to) {
  ConvertBlock(matrix.rows, matrix.columns, DType::kBf16, from, matrix.stride, DType::kFp32, to,
               matrix.columns);
}

bool TriesLibraryBf16(GemmKind kind) {
  return kind == GemmKind::kAuto ? HasFastBf16()
                                 : kind == GemmKind::kLibraryMatmul && HasLibraryMatmul();
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
  LibraryMatmul matmul{DType::kFp32}, bf16_matmul{DType::kBf16};
  OperandCopies<Bf16> rounded;
  OperandCopies<float> widened;
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
      if (!impl_->matmul.Run(shape, a, b, c)) LibrarySgemm(shape, a, b, c);
      return;
    case GemmKind::kGemv:
      return RunGemv(shape, a, b, c);
    case GemmKind::kAuto:
    case GemmKind::kHighway:
      return HighwayGemm(shape, a, b, c);
  }
}

void GemmEngine::RunAll(std::span<const GemmCall> calls) {
  const auto is_ours = [&](const GemmCall& call) {
    const GemmShape& s = call.shape;
    return s.m > 0 && s.n > 0 && s.k > 0 &&
           Resolve(s, GemmKind::kAuto, *impl_->table) == GemmKind::kHighway;
  };
  while (!calls.empty()) {
    const auto end = std::find_if_not(calls.begin(), calls.end(), is_ours);
    const auto ours = static_cast<size_t>(end - calls.begin());
    if (ours > 0) HighwayGemms(calls.first(ours));
    calls = calls.subspan(ours);
    if (calls.empty()) return;
    const GemmCall& call = calls.front();
    Run(call.shape, call.a, call.b, call.c);
    calls = calls.subspan(1);
  }
}

void GemmEngine::Run(const GemmShape& shape, const double* a, const double* b, double* c) {
  ParallelFor(shape.m, 1, [&](int64_t begin, int64_t end) {
    GemmShape part = shape;
    part.m = end - begin;
    ScalarGemm(part, a + begin * (shape.transpose_a ? 1 : shape.lda), b, c + begin * shape.ldc);
  });
}

void GemmEngine::Run(const GemmShape& shape, const Bf16* a, const Bf16* b, float* c,
                     GemmKind kind) {
  if (shape.m <= 0 || shape.n <= 0) return;
  if (shape.k <= 0) return ClearUnlessAccumulating(shape, c);
  if (TriesLibraryBf16(kind) && impl_->bf16_matmul.Run(shape, a, b, c)) return;
  OperandCopies<float>& copies = impl_->widened;
  copies.Reserve(shape);
  Widen(StoredA(shape), a, copies.a.data());
  Widen(StoredB(shape), b, copies.b.data());
  Run(WithDenseOperands(shape), copies.a.data(), copies.b.data(), c, kind);
}

void GemmEngine::RunRounded(const GemmShape& shape, const float* a, const float* b, float* c) {
  OperandCopies<Bf16>& copies = impl_->rounded;
  copies.Reserve(shape);
  Round(StoredA(shape), a, copies.a.data());
  Round(StoredB(shape), b, copies.b.data());
  Run(WithDenseOperands(shape), copies.a.data(), copies.b.data(), c);
}

std::string GemmEngine::Describe(const GemmShape& shape, GemmKind kind) {
  switch (Resolve(shape, kind, *impl_->table)) {
    case GemmKind::kLibrarySgemm:
      return LibrarySgemmName();
    case GemmKind::kLibraryMatmul: {
      const std::string name = impl_->matmul.Describe(shape);
      return name.empty() ? LibrarySgemmName() : name;
    }
    case GemmKind::kGemv:
      return GemvName();
    case GemmKind::kAuto:
    case GemmKind::kHighway:
      break;
  }
  return HighwayGemmName();
}

// What is described is prepared, so that running it need not allocate.
std::string GemmEngine::DescribeBf16(const GemmShape& shape, GemmKind kind) {
  if (TriesLibraryBf16(kind)) {
    const std::string name = impl_->bf16_matmul.Describe(shape);
    if (!name.empty()) return "bf16:" + name;
  }
  impl_->widened.Reserve(shape);
  return "widened:" + Describe(WithDenseOperands(shape), kind);
}

bool GemmEngine::Has(GemmKind kind) const { return IsAvailable({.m = 1, .n = 1, .k = 1}, kind); }

const GemmTable& GemmEngine::table() const { return *impl_->table; }

std::string GemmEngine::TableName() const {
  const std::string library = GemmLibraryName();
  return (library.empty() ? HighwayGemmName() : library + "+" + HighwayGemmName()) + "/" +
         kTableVersion;
}

}  // namespace millwright::math
