#include "math/gemv.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/tolerance.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

// Each element is a dot product, bounded by the norms of its row and of x.
void Check(const GemvShape& s) {
  const auto m = Normals((s.transposed ? s.columns : s.rows) * s.stride, 1);
  const auto x = Normals(s.columns, 2), start = Normals(s.rows, 3);
  std::vector<double> exact = start;
  ScalarGemv(s, m.data(), x.data(), exact.data());
  double x_norm = 0;
  for (const double value : x) x_norm += value * value;
  const auto m32 = As<float>(m), x32 = As<float>(x);
  for (const bool serial : {false, true}) {
    Guarded<float> y(As<float>(start), 1);
    (serial ? GemvSerial : Gemv)(s, m32.data(), x32.data(), y.data());
    EXPECT_TRUE(y.Intact());
    for (int64_t i = 0; i < s.rows; ++i) {
      double row = 0;
      for (int64_t j = 0; j < s.columns; ++j) {
        const double value = m[s.transposed ? j * s.stride + i : i * s.stride + j];
        row += value * value;
      }
      const double bound =
          DotTolerance(DType::kFp32, s.columns, std::sqrt(row), std::sqrt(x_norm)) +
          Gamma(DType::kFp32, s.columns + 2) * std::fabs(start[i]);
      ASSERT_LE(std::fabs(y.data()[i] - exact[i]), bound) << i;
    }
  }
}

TEST(Gemv, EqualsItsScalarTwin) {
  OnEachTarget([] {
    for (const int64_t rows : {1, 2, 15, 65, 200}) {
      for (const int64_t columns : {1, 3, 16, 63, 64, 129}) {
        for (const bool transposed : {false, true}) {
          SCOPED_TRACE(std::to_string(rows) + "x" + std::to_string(columns) +
                       (transposed ? " transposed" : ""));
          const int64_t dense = transposed ? rows : columns;
          Check({rows, columns, dense, transposed, false});
          Check({rows, columns, dense + 5, transposed, true});
        }
      }
    }
  });
}

TEST(Gemv, GivesTheSameBitsOnOneThreadAndOnTwo) {
  for (const bool transposed : {false, true}) {
    const GemvShape shape = {700, 129, transposed ? 700 : 129, transposed, false};
    const auto m = As<float>(Normals(700 * 129, 1)), x = As<float>(Normals(129, 2));
    std::vector<float> one(700), two(700);
    GemvSerial(shape, m.data(), x.data(), one.data());
    const int before = GetThreads();
    SetThreads(2);
    Gemv(shape, m.data(), x.data(), two.data());
    SetThreads(before);
    EXPECT_EQ(one, two) << transposed;
  }
}

TEST(AsGemv, TakesDenseVectorsOnEitherSide) {
  const GemvForm left = AsGemv(DenseGemm(5, 1, 7, false, false));
  ASSERT_TRUE(left.possible);
  EXPECT_TRUE(left.matrix_is_a);
  EXPECT_EQ(left.shape.rows, 5);
  EXPECT_EQ(left.shape.columns, 7);
  EXPECT_FALSE(left.shape.transposed);
  const GemvForm right = AsGemv(DenseGemm(1, 5, 7, false, false));
  ASSERT_TRUE(right.possible);
  EXPECT_FALSE(right.matrix_is_a);
  EXPECT_EQ(right.shape.rows, 5);
  EXPECT_TRUE(right.shape.transposed);
  EXPECT_FALSE(AsGemv(DenseGemm(5, 2, 7, false, false)).possible);
  GemmShape spread = DenseGemm(5, 1, 7, false, false);
  spread.ldb = 3;  // every third element is the vector
  EXPECT_FALSE(AsGemv(spread).possible);
  spread = DenseGemm(5, 1, 7, false, false);
  spread.ldc = 2;
  EXPECT_FALSE(AsGemv(spread).possible);
}

}  // namespace
}  // namespace millwright::math
