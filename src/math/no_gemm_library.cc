// A machine without a GEMM library: Highway's product carries everything.
#include "math/gemm_library.h"

namespace millwright::math {

struct LibraryMatmul::Impl {};

LibraryMatmul::LibraryMatmul() = default;
LibraryMatmul::~LibraryMatmul() = default;

std::string GemmLibraryName() { return ""; }
bool HasLibrarySgemm() { return false; }
bool HasLibraryMatmul() { return false; }
std::string LibrarySgemmName() { return ""; }

void LibrarySgemm(const GemmShape& shape, const float* a, const float* b, float* c) {
  HighwayGemm(shape, a, b, c);
}

void LibraryMatmul::Run(const GemmShape& shape, const float* a, const float* b, float* c) {
  HighwayGemm(shape, a, b, c);
}

std::string LibraryMatmul::Describe(const GemmShape&) { return ""; }

}  // namespace millwright::math
