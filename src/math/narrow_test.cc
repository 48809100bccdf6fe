#include "math/narrow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/aligned.h"
#include "base/threads.h"
#include "base/tolerance.h"
#include "math/scalar/int8.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

// A matrix with rows longer than they must be, and its narrow form.
struct Narrowed {
  Narrowed(DType dtype, int64_t rows, int64_t columns)
      : stride(columns + 3),
        w(As<float>(Normals(rows * stride, 1))),
        memory(NarrowBytes(dtype, rows, columns)),
        matrix{dtype, rows, columns, memory.data()} {
    Narrow(w.data(), stride, matrix);
  }
  double Element(int64_t i, int64_t j) const {
    const double value =
        LoadElement(matrix.dtype, matrix.memory, static_cast<size_t>(i * matrix.stride() + j));
    return matrix.dtype == DType::kInt8 ? value * static_cast<double>(matrix.scales()[i]) : value;
  }

  int64_t stride;
  std::vector<float> w;
  AlignedBuffer<std::byte> memory;
  NarrowMatrix matrix;
};

void CheckProduct(DType dtype, int64_t rows, int64_t columns) {
  const Narrowed narrowed(dtype, rows, columns);
  const auto x = As<float>(Normals(columns, 2));
  Guarded<float> y(std::vector<float>(static_cast<size_t>(rows)), 1);
  std::vector<double> exact(static_cast<size_t>(rows));
  NarrowGemv(narrowed.matrix, x.data(), y.data());
  ScalarNarrowGemv(narrowed.matrix, x.data(), exact.data());
  EXPECT_TRUE(y.Intact());
  double largest = 0;
  for (const float value : x) largest = std::max(largest, std::fabs(static_cast<double>(value)));
  for (int64_t i = 0; i < rows; ++i) {
    double norm = 0, magnitudes = 0;
    for (int64_t j = 0; j < columns; ++j) {
      norm += std::pow(narrowed.Element(i, j), 2);
      magnitudes += std::fabs(narrowed.Element(i, j));
    }
    // One rounding more than a dot product has: the scale. And for whole numbers x is rounded, by
    // at most 1.01 * 2^-23 of its largest element.
    double bound =
        DotTolerance(DType::kFp32, columns + 1, std::sqrt(norm), Norm2(std::span<const float>(x)));
    if (dtype == DType::kInt8) bound += 1.01 * 0x1p-23 * largest * magnitudes;
    ASSERT_LE(std::fabs(y.data()[i] - exact[static_cast<size_t>(i)]), bound) << i;
  }
}

TEST(NarrowGemv, EqualsItsScalarTwin) {
  OnEachTarget([] {
    for (const DType dtype : {DType::kBf16, DType::kInt8}) {
      for (const int64_t rows : {1, 15, 70}) {
        for (const int64_t columns : {1, 3, 63, 64, 129, 200}) {
          SCOPED_TRACE(std::string(DTypeName(dtype)) + " " + std::to_string(rows) + "x" +
                       std::to_string(columns));
          CheckProduct(dtype, rows, columns);
        }
      }
    }
  });
}

TEST(Narrow, RoundsBf16ToNearest) {
  const Narrowed narrowed(DType::kBf16, 7, 70);
  for (int64_t i = 0; i < 7; ++i) {
    for (int64_t j = 0; j < 70; ++j) {
      const float value = narrowed.w[static_cast<size_t>(i * narrowed.stride + j)];
      EXPECT_EQ(narrowed.Element(i, j), static_cast<double>(ToFloat(ToBf16(value))));
    }
  }
}

TEST(Narrow, RoundsInt8AsTheDefinitionSays) {
  OnEachTarget([] {
    const Narrowed narrowed(DType::kInt8, 7, 70);
    const auto expected = scalar::Quantize(7, 70, narrowed.w.data(), narrowed.stride, 1);
    for (int64_t i = 0; i < 7; ++i) {
      EXPECT_EQ(narrowed.matrix.scales()[i], expected.scales[static_cast<size_t>(i)]);
      for (int64_t j = 0; j < 70; ++j) {
        const auto at = static_cast<size_t>(i * narrowed.matrix.stride() + j);
        EXPECT_EQ(LoadElement(DType::kInt8, narrowed.matrix.memory, at),
                  expected.values[static_cast<size_t>(i * 70 + j)]);
      }
    }
  });
}

// The whole error against fp32 weights: half a step of each row, times |x|.
TEST(NarrowGemv, StaysWithinTheErrorOfRounding) {
  const Narrowed narrowed(DType::kInt8, 20, 200);
  const auto x = Normals(200, 2);
  const auto x32 = As<float>(x);
  std::vector<float> y(20);
  NarrowGemv(narrowed.matrix, x32.data(), y.data());
  for (int64_t i = 0; i < 20; ++i) {
    double exact = 0, sum = 0, most = 0, norm = 0;
    for (int64_t j = 0; j < 200; ++j) {
      const double value = narrowed.w[static_cast<size_t>(i * narrowed.stride + j)];
      const double factor = x[static_cast<size_t>(j)];
      exact += value * factor;
      sum += std::fabs(factor);
      most = std::max(most, std::fabs(value));
      norm += value * value;
    }
    const double bound = sum * Int8Step(most) +
                         DotTolerance(DType::kFp32, 202, 2 * std::sqrt(norm), Norm2(std::span(x)));
    EXPECT_LE(std::fabs(y[static_cast<size_t>(i)] - exact), bound);
  }
}

TEST(NarrowGemv, GivesTheSameBitsOnAnyNumberOfThreads) {
  const int before = GetThreads();
  for (const DType dtype : {DType::kBf16, DType::kInt8}) {
    const Narrowed narrowed(dtype, 301, 129);
    const auto x = As<float>(Normals(129, 2));
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 3}) {
      SetThreads(threads);
      results.emplace_back(301);
      NarrowGemv(narrowed.matrix, x.data(), results.back().data());
    }
    EXPECT_EQ(results[0], results[1]) << DTypeName(dtype);
    EXPECT_EQ(results[0], results[2]) << DTypeName(dtype);
  }
  SetThreads(before);
}

// Vectors that cannot be written in digits: every element of y is what fp32 makes of them.
TEST(NarrowGemv, TakesVectorsOfAnyKind) {
  using Limits = std::numeric_limits<float>;
  for (const DType dtype : {DType::kBf16, DType::kInt8}) {
    const Narrowed narrowed(dtype, 3, 20);
    const auto product = [&](float value) {
      std::vector<float> x(20), y(3, 7.0f);
      x[11] = value;
      NarrowGemv(narrowed.matrix, x.data(), y.data());
      return y;
    };
    for (int64_t i = 0; i < 3; ++i) {
      const auto at = static_cast<size_t>(i);
      const double w = narrowed.Element(i, 11);
      EXPECT_EQ(product(0.0f)[at], 0.0f);
      EXPECT_TRUE(std::isnan(product(Limits::quiet_NaN())[at]));
      EXPECT_EQ(product(Limits::infinity())[at], w > 0 ? Limits::infinity() : -Limits::infinity());
      for (const double tiny : {0x1p-101, 0x1p-99}) {
        const double exact = w * tiny;
        EXPECT_NEAR(static_cast<double>(product(static_cast<float>(tiny))[at]), exact,
                    Gamma(DType::kFp32, 3) * std::fabs(exact));
      }
    }
  }
}

TEST(NarrowGemv, CarriesWhatIsNoNumber) {
  for (const DType dtype : {DType::kBf16, DType::kInt8}) {
    Narrowed narrowed(dtype, 3, 20);
    narrowed.w[static_cast<size_t>(narrowed.stride + 4)] = std::numeric_limits<float>::quiet_NaN();
    Narrow(narrowed.w.data(), narrowed.stride, narrowed.matrix);
    const std::vector<float> x(20, 1.0f);
    std::vector<float> y(3);
    NarrowGemv(narrowed.matrix, x.data(), y.data());
    EXPECT_TRUE(std::isfinite(y[0]));
    EXPECT_TRUE(std::isnan(y[1]));
    EXPECT_TRUE(std::isfinite(y[2]));
  }
}

}  // namespace
}  // namespace millwright::math
