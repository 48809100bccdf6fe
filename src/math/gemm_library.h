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

// Products that the library prepares once for each shape, of operands that are all fp32 or all
// bf16; results and sums are fp32.
class LibraryMatmul {
 public:
  explicit LibraryMatmul(DType operands);
  ~LibraryMatmul();

  // False, and nothing is done, where the library has nothing but slow reference loops for `shape`.
  bool Run(const GemmShape& shape, const void* a, const void* b, float* c);

  // The library's name of the implementation; empty where Run would do nothing.
  std::string Describe(const GemmShape& shape);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millwright::math
