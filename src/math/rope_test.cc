#include "math/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/tolerance.h"
#include "math/scalar/rope.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

TEST(RopeTest, TablesHoldTheAnglesOfThePaper) {
  const auto tables = MakeRopeTables(5, 4, 100.0);
  EXPECT_DOUBLE_EQ(tables.cos[0], 1.0);
  EXPECT_DOUBLE_EQ(tables.sin[3 * 2 + 0], std::sin(3.0));
  EXPECT_DOUBLE_EQ(tables.cos[3 * 2 + 1], std::cos(3.0 / 10.0));
}

TEST(RopeTest, PairsNeighboursOrHalves) {
  const auto tables = MakeRopeTables(2, 4, 100.0);
  for (const bool half_split : {false, true}) {
    std::vector<double> x(8, 0.0);
    x[1] = 1.0;  // channel 0 at position 1
    Rope(tables, 1, half_split, false, x.data());
    EXPECT_DOUBLE_EQ(x[1], std::cos(1.0));
    EXPECT_DOUBLE_EQ(x[(half_split ? 2 : 1) * 2 + 1], std::sin(1.0));
  }
}

TEST(RopeTest, InverseIsTheGradient) {
  const auto tables = MakeRopeTables(3, 6, 1e4);
  const auto x = Normals(2 * 6 * 3, 1), dy = Normals(2 * 6 * 3, 2);
  for (const bool half_split : {false, true}) {
    auto dx = dy;
    Rope(tables, 2, half_split, true, dx.data());
    const auto numeric = ComplexStepGradient(x, [&](const std::vector<Complex>& at) {
      auto y = at;
      scalar::Rope(tables, 2, half_split, false, y.data());
      return Weighted(dy, y);
    });
    EXPECT_LE((NormError(dx, numeric)), Gamma(DType::kFp64, 50));
  }
}

TEST(RopeTest, VectorsAgreeWithTheTwinAtEveryWidth) {
  OnEachTarget([] {
    for (int64_t seq = 1; seq <= kTwoVectors; ++seq) {
      const auto tables = MakeRopeTables(seq, 6, 1e4);
      for (const bool half_split : {false, true}) {
        auto x = Normals(3 * 6 * seq, 1);
        Guarded<float> xf(As<float>(x), 1);
        Rope(tables, 3, half_split, true, x.data());
        Rope(tables, 3, half_split, true, xf.data());
        // Each result is a dot product of two terms; |(cos, sin)| = 1 and |(a, b)| <= |x|_max *
        // sqrt 2.
        double largest = 0;
        for (double value : x) largest = std::max(largest, std::fabs(value));
        const auto c =
            Compare(xf.values(), x, {DotTolerance(DType::kFp32, 2, 1.0, 2 * largest), 0});
        EXPECT_TRUE(c.ok) << c.Message();
        EXPECT_TRUE(xf.Intact());
      }
    }
  });
}

}  // namespace
}  // namespace millwright::math
