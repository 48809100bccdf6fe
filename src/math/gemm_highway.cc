#include "base/threads.h"
#include "math/gemm.h"
#include "math/gemm_library.h"

namespace millwright::math {

std::string HighwayGemmName() { return "highway:scalar"; }

void HighwayGemm(const GemmShape& shape, const float* a, const float* b, float* c) {
  ParallelFor(shape.m, 1, [&](int64_t begin, int64_t end) {
    GemmShape part = shape;
    part.m = end - begin;
    ScalarGemm(part, a + begin * (shape.transpose_a ? 1 : shape.lda), b, c + begin * shape.ldc);
  });
}

}  // namespace millwright::math
