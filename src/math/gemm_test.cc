#include "math/gemm.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include "base/tolerance.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

constexpr GemmKind kKinds[] = {GemmKind::kAuto, GemmKind::kLibrarySgemm, GemmKind::kLibraryMatmul,
                               GemmKind::kHighway};

// 2-norms of the rows of op(A) or, with the flags of B turned over, of the columns of op(B).
std::vector<double> RowNorms(const double* x, int64_t rows, int64_t columns, bool transposed,
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
    exact = c;
    ScalarGemm(s, a.data(), b.data(), exact.data());
    a_norms = RowNorms(a.data(), s.m, s.k, s.transpose_a, s.lda);
    b_norms = RowNorms(b.data(), s.n, s.k, !s.transpose_b, s.ldb);
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
};

std::string Name(const GemmShape& s) {
  return std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k) +
         (s.transpose_a ? " ta" : "") + (s.transpose_b ? " tb" : "") +
         (s.accumulate ? " accumulate" : "");
}

void CheckAllKinds(GemmEngine& engine, const GemmShape& shape) {
  const GemmCase product(shape);
  const auto a = As<float>(product.a), b = As<float>(product.b);
  for (const GemmKind kind : kKinds) {
    if (!engine.Has(kind)) continue;
    Guarded<float> c(As<float>(product.c), 1);
    engine.Run(shape, a.data(), b.data(), c.data(), kind);
    const Comparison comparison = product.Check(c.values());
    EXPECT_TRUE(comparison.ok) << Name(shape) << " by " << engine.Describe(shape, kind) << ": "
                               << comparison.Message();
    EXPECT_TRUE(c.Intact()) << Name(shape);
  }
}

TEST(GemmTest, AllFlagsSizesAndStridesAgreeWithTheDefinition) {
  GemmEngine engine;
  const std::array<int64_t, 3> sizes[] = {
      {1, 1, 1},     {1, 9, 4},    {5, 7, 3},      {12, 32, 16},  {13, 33, 257},
      {24, 64, 256}, {3, 130, 40}, {100, 17, 300}, {250, 31, 20}, {2, 2100, 5}};
  for (const auto& [m, n, k] : sizes) {
    for (int flags = 0; flags < 16; ++flags) {
      auto shape = DenseGemm(m, n, k, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
      if ((flags & 8) != 0) shape.lda += 3, shape.ldb += 1, shape.ldc += 5;
      CheckAllKinds(engine, shape);
    }
  }
}

TEST(GemmTest, HighwayIsRightOnEveryInstructionSet) {
  OnEachTarget([] {
    for (int flags = 0; flags < 8; ++flags) {
      auto shape = DenseGemm(29, 37, 270, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
      shape.ldc += 2;
      const GemmCase product(shape);
      auto c = As<float>(product.c);
      HighwayGemm(shape, As<float>(product.a).data(), As<float>(product.b).data(), c.data());
      const Comparison comparison = product.Check(c);
      EXPECT_TRUE(comparison.ok) << Name(shape) << ": " << comparison.Message();
    }
  });
}

TEST(GemmTest, HighwayDoesNotDependOnThreads) {
  const auto shape = DenseGemm(90, 100, 300, false, true, true);
  const GemmCase product(shape);
  const auto a = As<float>(product.a), b = As<float>(product.b);
  auto one = As<float>(product.c), three = one;
  const int threads = GetThreads();
  SetThreads(1);
  HighwayGemm(shape, a.data(), b.data(), one.data());
  SetThreads(3);
  HighwayGemm(shape, a.data(), b.data(), three.data());
  SetThreads(threads);
  EXPECT_EQ(one, three);
}

TEST(GemmTest, PreparedProductsServeOtherOperands) {
  GemmEngine engine;
  const auto shape = DenseGemm(8, 16, 4, false, false);
  for (int round = 0; round < 3; ++round) {
    const std::vector<float> a(32, static_cast<float>(round)), b(64, 2.0f);
    std::vector<float> c(128);
    for (const GemmKind kind : kKinds) {
      engine.Run(shape, a.data(), b.data(), c.data(), kind);
      EXPECT_EQ(c, std::vector<float>(128, static_cast<float>(8 * round)));
    }
  }
}

TEST(GemmTest, EmptySums) {
  GemmEngine engine;
  auto shape = DenseGemm(2, 3, 0, false, false);
  shape.ldc = 4;
  const float* const a = nullptr;
  std::vector<float> c(8, 7.0f);
  engine.Run(shape, a, nullptr, c.data());
  EXPECT_EQ(c, (std::vector<float>{0, 0, 0, 7, 0, 0, 0, 7}));
  shape.accumulate = true;
  c.assign(8, 7.0f);
  engine.Run(shape, a, nullptr, c.data());
  EXPECT_EQ(c, std::vector<float>(8, 7.0f));
  engine.Run(DenseGemm(0, 3, 2, false, false), a, nullptr, c.data());
}

TEST(GemmTest, DoublesAreSummedInDouble) {
  GemmEngine engine;
  for (int flags = 0; flags < 8; ++flags) {
    const auto shape = DenseGemm(7, 5, 9, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
    const GemmCase product(shape);
    auto c = product.c;
    engine.Run(shape, product.a.data(), product.b.data(), c.data());
    for (size_t i = 0; i < c.size(); ++i) {
      EXPECT_NEAR(c[i], product.exact[i], DotTolerance(DType::kFp64, 10, 10, 10)) << Name(shape);
    }
  }
}

// Loops without vectors, a thousand times slower, are what a library may fall back to in silence.
TEST(GemmTest, NoModelShapeFallsBackToReferenceLoops) {
  GemmEngine engine;
  const int64_t kSeq = 256;
  const std::array<int64_t, 2> weights[] = {{768, 768},   {2048, 768},  {768, 2048},
                                            {6839, 768},  {2048, 1024}, {1024, 2048},
                                            {1024, 1024}, {3072, 1024}, {1024, 3072}};
  for (const auto& [out, in] : weights) {
    for (const GemmShape& shape :
         {DenseGemm(out, kSeq, in, false, false), DenseGemm(in, kSeq, out, true, false),
          DenseGemm(out, in, kSeq, false, true, true)}) {
      for (const GemmKind kind : kKinds) {
        EXPECT_FALSE(engine.Describe(shape, kind).starts_with("ref")) << Name(shape);
        EXPECT_FALSE(engine.Describe(shape, kind).empty()) << Name(shape);
      }
    }
  }
}

}  // namespace
}  // namespace millwright::math
