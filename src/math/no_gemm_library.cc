// A machine without a GEMM library: Highway's product carries everything.
#include "math/gemm_library.h"

namespace millwright::math {

struct LibraryMatmul::Impl {};

LibraryMatmul::LibraryMatmul(DType) {}
LibraryMatmul::~LibraryMatmul() = default;

std::string GemmLibraryName() { return ""; }
bool HasLibrarySgemm() { return false; }
bool HasLibraryMatmul() { return false; }
bool HasFastBf16() { return false; }
std::string LibrarySgemmName() { return ""; }

void LibrarySgemm(const GemmShape& shape, const float* a, const float* b, float* c) {
  HighwayGemm(shape, a, b, c);
}

bool LibraryMatmul::Run(const GemmShape&, const void*, const void*, float*) { return false; }

std::string LibraryMatmul::Describe(const GemmShape&) { return ""; }

}  // namespace millwright::math
