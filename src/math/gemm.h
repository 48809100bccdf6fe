// C = A * B or C += A * B: one entry for every matrix product, whatever library carries it out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/dtype.h"

namespace millwright::math {

// op(A) is m x k, op(B) is k x n, C is m x n; all row-major with the given row strides, op() being
// the transpose where the flag is set. `accumulate` adds to C instead of overwriting it.
struct GemmShape {
  int64_t m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false;
  int64_t lda = 0, ldb = 0, ldc = 0;
  bool accumulate = false;

  auto operator<=>(const GemmShape&) const = default;
};

// The shape with dense row strides.
GemmShape DenseGemm(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b,
                    bool accumulate = false);

// One product: `shape` says how A, B and C lie.
struct GemmCall {
  GemmShape shape;
  const float* a = nullptr;
  const float* b = nullptr;
  float* c = nullptr;
};

// "onednn_sgemm", "onednn_matmul", "highway", "accelerate"; kGemv is for products with a vector
// only (math/gemv.h), others go to Highway.
enum class GemmKind : uint8_t { kAuto, kLibrarySgemm, kLibraryMatmul, kHighway, kGemv };

class GemmTable;

// Runs products and remembers what it prepared for each shape (a library's primitive). One a thread
// of control; the work inside is parallel. The choice per shape is that of a table, or
// else a fixed rule; nothing is timed in a run.
class GemmEngine {
 public:
  // Null: an empty table.
  explicit GemmEngine(std::shared_ptr<const GemmTable> table = nullptr);
  ~GemmEngine();
  GemmEngine(const GemmEngine&) = delete;
  GemmEngine& operator=(const GemmEngine&) = delete;

  void Run(const GemmShape& shape, const float* a, const float* b, float* c,
           GemmKind kind = GemmKind::kAuto);
  void Run(const GemmShape& shape, const double* a, const double* b, double* c);

  // Products none of which reads what another one writes. Those that write the same C follow one
  // another, and all but the first accumulate. Gives the bits of one Run after the other, in less
  // time: threads go on to the next product without waiting for each other.
  void RunAll(std::span<const GemmCall> calls);

  // Of operands in bf16, whose products are exact in fp32, and summed in fp32. kAuto and
  // kLibraryMatmul take the library's product of such operands, kAuto only where HasFastBf16();
  // else both are widened, and it is the product in fp32 by `kind`. Instructions for bf16 may take
  // numbers below 2^-126 for zero.
  void Run(const GemmShape& shape, const Bf16* a, const Bf16* b, float* c,
           GemmKind kind = GemmKind::kAuto);

  // The same of fp32 operands that are rounded to bf16 first, to nearest even.
  void RunRounded(const GemmShape& shape, const float* a, const float* b, float* c);

  // The implementation kAuto takes for `shape`, as the library names it ("brgemm:avx512_core",
  // "sgemm", "highway:AVX3_DL"). A name that starts with "ref" is a trap: see docs/devices.md.
  std::string Describe(const GemmShape& shape, GemmKind kind = GemmKind::kAuto);
  // The same of operands in bf16: "bf16:gemm:jit", or "widened:" and the product in fp32.
  std::string DescribeBf16(const GemmShape& shape, GemmKind kind = GemmKind::kAuto);
  bool Has(GemmKind kind) const;

  const GemmTable& table() const;

  // Names the library and the fixed rule; part of a run's configuration, since other choices
  // give other bits.
  std::string TableName() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// True if products of bf16 operands are faster than those of fp32 ones: a library that has them, on
// a CPU with instructions for them (x86: AVX512_BF16, AMX-BF16).
bool HasFastBf16();

// Highway's product: anywhere, and the second opinion in tests; and several of them, with at least
// one row, column and step of depth each, as GemmEngine::RunAll has them.
void HighwayGemm(const GemmShape& shape, const float* a, const float* b, float* c);
void HighwayGemms(std::span<const GemmCall> calls);

// The scalar twin: the definition. T is float, double or std::complex<double>.
template <class T>
void ScalarGemm(const GemmShape& shape, const T* a, const T* b, T* c) {
  for (int64_t i = 0; i < shape.m; ++i) {
    for (int64_t j = 0; j < shape.n; ++j) {
      T sum = shape.accumulate ? c[i * shape.ldc + j] : T(0);
      for (int64_t p = 0; p < shape.k; ++p) {
        const T x = shape.transpose_a ? a[p * shape.lda + i] : a[i * shape.lda + p];
        const T y = shape.transpose_b ? b[j * shape.ldb + p] : b[p * shape.ldb + j];
        sum += x * y;
      }
      c[i * shape.ldc + j] = sum;
    }
  }
}

}  // namespace millwright::math
