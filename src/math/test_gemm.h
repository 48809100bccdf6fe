// Matrix products with their exact results and the bounds of their errors, for tests.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/tolerance.h"
#include "math/gemm.h"
#include "math/test_support.h"

namespace millwright::math::testing {

inline constexpr GemmKind kGemmKinds[] = {GemmKind::kAuto, GemmKind::kLibrarySgemm,
                                          GemmKind::kLibraryMatmul, GemmKind::kHighway};

inline constexpr std::array<int64_t, 3> kGemmSizes[] = {
    {1, 1, 1},     {1, 9, 4},    {5, 7, 3},      {12, 32, 16},  {13, 33, 257},
    {24, 64, 256}, {3, 130, 40}, {100, 17, 300}, {250, 31, 20}, {2, 2100, 5}};

// Calls check(shape) for every size and flag, with and without gaps between rows.
template <class Check>
void ForEachGemm(const Check& check) {
  for (const auto& [m, n, k] : kGemmSizes) {
    for (int flags = 0; flags < 16; ++flags) {
      auto shape = DenseGemm(m, n, k, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
      if ((flags & 8) != 0) shape.lda += 3, shape.ldb += 1, shape.ldc += 5;
      check(shape);
    }
  }
}

// Calls check(shape) for the products of a layer and a classifier of the models that are built.
template <class Check>
void ForEachModelGemm(const Check& check) {
  constexpr int64_t kSeq = 256;
  constexpr std::array<int64_t, 2> kWeights[] = {{768, 768},   {2048, 768},  {768, 2048},
                                                 {6839, 768},  {2048, 1024}, {1024, 2048},
                                                 {1024, 1024}, {3072, 1024}, {1024, 3072}};
  for (const auto& [out, in] : kWeights) {
    check(DenseGemm(out, kSeq, in, false, false));
    check(DenseGemm(in, kSeq, out, true, false));
    check(DenseGemm(out, in, kSeq, false, true, true));
  }
}

// 2-norms of the rows of op(A) or, with the flags of B turned over, of the columns of op(B).
inline std::vector<double> RowNorms(const double* x, int64_t rows, int64_t columns, bool transposed,
                                    int64_t stride) {
  std::vector<double> norms;
  for (int64_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (int64_t p = 0; p < columns; ++p) {
      const double value = transposed ? x[p * stride + i] : x[i * stride + p];
      sum += value * value;
    }
    norms.push_back(std::sqrt(sum));
  }
  return norms;
}

// A product, its exact result and the bound of each element's error.
struct GemmCase {
  GemmShape shape;
  std::vector<double> a, b, c, exact;
  std::vector<double> a_norms, b_norms;

  explicit GemmCase(const GemmShape& s) : shape(s) {
    a = Normals((s.transpose_a ? s.k : s.m) * s.lda, 1);
    b = Normals((s.transpose_b ? s.n : s.k) * s.ldb, 2);
    c = Normals(s.m * s.ldc, 3);
    Multiply();
  }

  // Makes it the case of the operands rounded to bf16.
  void RoundOperands() {
    for (auto* operand : {&a, &b}) {
      for (double& x : *operand) x = ToFloat(ToBf16(static_cast<float>(x)));
    }
    Multiply();
  }

  // Elements between the end of a row and the next one must stay as they are.
  Comparison Check(const std::vector<float>& actual) const {
    Comparison result;
    for (int64_t i = 0; i < shape.m; ++i) {
      for (int64_t j = 0; j < shape.ldc; ++j) {
        const int64_t at = i * shape.ldc + j;
        double bound = 0;
        if (j < shape.n) {
          bound = DotTolerance(DType::kFp32, shape.k, a_norms[i], b_norms[j]) +
                  (shape.accumulate ? Gamma(DType::kFp32, shape.k + 2) * std::fabs(c[at]) : 0);
        }
        result.Add(at, actual[at], exact[at], {bound, 0});
      }
    }
    return result;
  }

 private:
  void Multiply() {
    const GemmShape& s = shape;
    exact = c;
    ScalarGemm(s, a.data(), b.data(), exact.data());
    a_norms = RowNorms(a.data(), s.m, s.k, s.transpose_a, s.lda);
    b_norms = RowNorms(b.data(), s.n, s.k, !s.transpose_b, s.ldb);
  }
};

inline std::string Name(const GemmShape& s) {
  return std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k) +
         (s.transpose_a ? " ta" : "") + (s.transpose_b ? " tb" : "") +
         (s.accumulate ? " accumulate" : "");
}

}  // namespace millwright::math::testing
