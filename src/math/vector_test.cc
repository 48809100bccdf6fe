#include "math/vector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/tolerance.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

void CheckVector(int64_t count) {
  const auto a = Normals(count, 1), b = Normals(count, 2);
  Guarded<float> af(As<float>(a), 1), bf(As<float>(b), 3);
  const double squares = SumOfSquares(count, a.data());
  EXPECT_NEAR(SumOfSquares(count, af.data()), squares,
              SumTolerance(DType::kFp64, 2 * count + 2, squares));
  EXPECT_EQ(MaxAbs(count, af.data()), MaxAbs(count, a.data()));
  EXPECT_TRUE(AllFinite(count, af.data()));
  AddScaled(count, af.data(), 0.37, bf.data(), bf.data());
  Scale(count, -3.0, af.data());
  for (int64_t i = 0; i < count; ++i) {
    EXPECT_EQ(af.data()[i], static_cast<float>(a[i] * -3.0));
    EXPECT_NEAR(bf.data()[i], a[i] + 0.37 * b[i],
                Gamma(DType::kFp32, 3) * (std::fabs(a[i]) + std::fabs(b[i])));
  }
  EXPECT_TRUE(af.Intact() && bf.Intact());
}

TEST(VectorTest, VectorsAgreeWithTheTwinAtEveryCount) {
  OnEachTarget([] {
    for (int64_t count = 0; count <= 2 * kTwoVectors; ++count) CheckVector(count);
    CheckVector(200000);  // several blocks
  });
}

TEST(VectorTest, OneBadElementIsSeenWhereverItIs) {
  OnEachTarget([] {
    const float kInfinity = std::numeric_limits<float>::infinity();
    for (size_t at = 0; at < 40; ++at) {
      std::vector<float> x(40, -1.0f);
      x[at] = -kInfinity;
      EXPECT_FALSE(AllFinite(40, x.data()));
      EXPECT_EQ(MaxAbs(40, x.data()), kInfinity);
      x[(at + 1) % 40] = -std::nanf("");
      EXPECT_FALSE(AllFinite(40, x.data()));
      EXPECT_TRUE(std::isnan(MaxAbs(40, x.data())));
      x[at] = std::numeric_limits<float>::max();
      x[(at + 1) % 40] = 0;
      EXPECT_TRUE(AllFinite(40, x.data()));
    }
  });
}

TEST(VectorTest, SumDoesNotDependOnThreads) {
  const auto x = As<float>(Normals(300000, 1));
  const int threads = GetThreads();
  SetThreads(1);
  const double one = SumOfSquares(300000, x.data());
  SetThreads(3);
  EXPECT_EQ(SumOfSquares(300000, x.data()), one);
  SetThreads(threads);
}

TEST(VectorTest, DoublesDoTheSame) {
  double x[] = {3.0, -4.0};
  EXPECT_EQ(SumOfSquares(2, x), 25.0);
  EXPECT_EQ(MaxAbs(2, x), 4.0);
  EXPECT_TRUE(AllFinite(2, x));
  Scale(2, 2.0, x);
  AddScaled(2, x, 0.5, x, x);
  EXPECT_EQ(x[1], -12.0);
  x[0] = std::nan("");
  EXPECT_FALSE(AllFinite(2, x));
  EXPECT_TRUE(std::isnan(MaxAbs(2, x)));
}

}  // namespace
}  // namespace millwright::math
