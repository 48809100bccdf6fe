// The seam between the GEMM engine and the library of this machine. One of gemm_onednn.cc,
// gemm_accelerate.cc and no_gemm_library.cc is built.
#pragma once

#include <memory>
#include <string>

#include "math/gemm.h"

namespace millwright::math {

// The library and its version, "onednn-2.6.3"; empty if there is none.
std::string GemmLibraryName();

bool HasLibrarySgemm();
bool HasLibraryMatmul();

// The name of the sgemm entry, as Describe reports it.
std::string LibrarySgemmName();

// BLAS-like entry. m, n and k are positive. Called only if HasLibrarySgemm().
void LibrarySgemm(const GemmShape& shape, const float* a, const float* b, float* c);

// "highway:" and the instruction set that the dispatcher picks.
std::string HighwayGemmName();

// True where that instruction set has 512-bit vectors, for which Highway's kernel was measured.
bool HighwayGemmIsWide();

// Products that the library prepares once for each shape. Called only if HasLibraryMatmul().
class LibraryMatmul {
 public:
  LibraryMatmul();
  ~LibraryMatmul();

  void Run(const GemmShape& shape, const float* a, const float* b, float* c);

  // The library's name of the implementation; LibrarySgemmName() where it has only its slow
  // reference loops for `shape`, and sgemm is taken instead.
  std::string Describe(const GemmShape& shape);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millwright::math
