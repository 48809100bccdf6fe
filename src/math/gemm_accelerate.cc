// The GEMM of macOS: Accelerate's cblas_sgemm, which runs on the AMX units.
#define ACCELERATE_NEW_LAPACK
#include <Accelerate/Accelerate.h>

#include "math/gemm_library.h"

namespace millwright::math {

struct LibraryMatmul::Impl {};

LibraryMatmul::LibraryMatmul(DType) {}
LibraryMatmul::~LibraryMatmul() = default;

std::string GemmLibraryName() { return "accelerate"; }
bool HasLibrarySgemm() { return true; }
bool HasLibraryMatmul() { return false; }
bool HasFastBf16() { return false; }
std::string LibrarySgemmName() { return "accelerate"; }

void LibrarySgemm(const GemmShape& shape, const float* a, const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, shape.transpose_a ? CblasTrans : CblasNoTrans,
              shape.transpose_b ? CblasTrans : CblasNoTrans, static_cast<int>(shape.m),
              static_cast<int>(shape.n), static_cast<int>(shape.k), 1.0f, a,
              static_cast<int>(shape.lda), b, static_cast<int>(shape.ldb),
              shape.accumulate ? 1.0f : 0.0f, c, static_cast<int>(shape.ldc));
}

bool LibraryMatmul::Run(const GemmShape&, const void*, const void*, float*) { return false; }

std::string LibraryMatmul::Describe(const GemmShape&) { return ""; }

}  // namespace millwright::math
