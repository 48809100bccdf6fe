#include "math/digits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/tolerance.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

// A vector and its digits; `ok` is what ToDigits said.
struct Taken {
  explicit Taken(std::vector<float> values) : x(std::move(values)), memory(3 * x.size()) {
    for (size_t i = 0; i < 3; ++i) digits.digits[i] = memory.data() + i * x.size();
    ok = ToDigits(static_cast<int64_t>(x.size()), x.data(), digits);
  }
  double Value(size_t j) const {
    double value = 0;
    for (size_t i = 3; i-- > 0;) value = 256 * value + digits.digits[i][j];
    return value * static_cast<double>(digits.unit);
  }

  std::vector<float> x;
  AlignedBuffer<int8_t> memory;
  DigitVector digits;
  bool ok = false;
};

template <class T>
double Largest(const std::vector<T>& x) {
  double largest = 0;
  for (const T value : x) largest = std::max(largest, std::fabs(static_cast<double>(value)));
  return largest;
}

// The definition: a multiple of a power of two.
TEST(ToDigits, RoundsToTheNearestMultipleOfItsUnit) {
  OnEachTarget([] {
    for (const double scale : {1.0, 0x1.fffffep0, 0x1.fep0, 1e-29, 1e37}) {
      std::vector<double> normals = Normals(192, 1);
      const double most = Largest(normals);
      for (double& value : normals) value *= scale / most;
      const Taken taken(As<float>(normals));
      ASSERT_TRUE(taken.ok) << scale;
      const double unit = static_cast<double>(taken.digits.unit), largest = Largest(taken.x);
      int exponent = 0;
      EXPECT_EQ(std::frexp(unit, &exponent), 0.5);
      EXPECT_LE(unit, 1.01 * 0x1p-22 * largest);
      for (size_t j = 0; j < taken.x.size(); ++j) {
        const double exact = static_cast<double>(taken.x[j]);
        ASSERT_LE(std::fabs(taken.Value(j) - exact), unit / 2) << j << " times " << scale;
      }
    }
  });
}

TEST(ToDigits, HoldsTheLargestOfEitherSign) {
  OnEachTarget([] {
    for (int bits = 0; bits < 1000; ++bits) {  // mantissas over a whole octave
      const float most = 1.0f + static_cast<float>(bits) / 1000;
      std::vector<float> x(64);
      x[3] = most, x[40] = -most;
      const Taken taken(std::move(x));
      ASSERT_TRUE(taken.ok);
      const double half = static_cast<double>(taken.digits.unit) / 2;
      ASSERT_NEAR(taken.Value(3), static_cast<double>(most), half);
      ASSERT_NEAR(taken.Value(40), -static_cast<double>(most), half);
      ASSERT_EQ(taken.Value(4), 0.0);
    }
  });
}

TEST(ToDigits, RefusesWhatItCannotHold) {
  OnEachTarget([] {
    using Limits = std::numeric_limits<float>;
    for (const float value : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(),
                              Limits::max(), 0.0f, Limits::denorm_min(), 0x1p-100f}) {
      std::vector<float> x(64);
      x[17] = value;
      EXPECT_FALSE(Taken(std::move(x)).ok) << value;
    }
  });
}

// A matrix of int8 without scales.
struct Bytes {
  Bytes(int64_t rows, int64_t columns)
      : memory(NarrowBytes(DType::kInt8, rows, columns)),
        matrix{DType::kInt8, rows, columns, memory.data()} {
    std::fill_n(matrix.scales(), rows, 1.0f);
  }
  int8_t& At(int64_t i, int64_t j) {
    return reinterpret_cast<int8_t*>(memory.data())[i * matrix.stride() + j];
  }

  AlignedBuffer<std::byte> memory;
  NarrowMatrix matrix;
};

// Rows of a 1 or -1 pick elements, which are whole numbers of all three digits.
TEST(MultiplyDigits, GivesBackEachElement) {
  OnEachTarget([] {
    constexpr int64_t kColumns = 128;
    Bytes w(kColumns, kColumns);
    std::vector<float> x(kColumns);
    for (int64_t j = 0; j < kColumns; ++j) {
      const int64_t number = (j * 7'654'321 + 8'000'000) % 16'000'001 - 8'000'000;
      x[static_cast<size_t>(j)] = static_cast<float>(number);
      w.At(j, j) = j % 3 == 0 ? -1 : 1;
      w.matrix.scales()[j] = static_cast<float>(1 + j % 2);
    }
    x[0] = 8e6f;
    const Taken taken(x);
    ASSERT_TRUE(taken.ok);
    ASSERT_EQ(taken.digits.unit, 1.0f);
    std::vector<float> y(kColumns, -7.0f);
    MultiplyDigits(w.matrix, taken.digits, 5, kColumns - 2, y.data());
    for (int64_t j = 0; j < kColumns; ++j) {
      const auto at = static_cast<size_t>(j);
      const bool outside = j < 5 || j >= kColumns - 2;
      const float sign = j % 3 == 0 ? -1.0f : 1.0f;
      ASSERT_EQ(y[at], outside ? -7.0f : sign * w.matrix.scales()[j] * x[at]) << j;
    }
  });
}

// Bytes at either end against numbers of one sign: the largest sums there are.
TEST(MultiplyDigits, HoldsTheLargestSums) {
  OnEachTarget([] {
    constexpr int64_t kColumns = kMostDigitColumns;
    Bytes w(2, kColumns);
    for (int64_t j = 0; j < kColumns; ++j) w.At(0, j) = 127, w.At(1, j) = -127;
    for (const float value : {8.3e6f, -8.3e6f, 8.3e6f - 128, 32767.0f}) {
      std::vector<float> x(static_cast<size_t>(kColumns), value);
      x[0] = 8.3e6f;
      const Taken taken(std::move(x));
      ASSERT_TRUE(taken.ok);
      ASSERT_EQ(taken.digits.unit, 1.0f);
      float y[2] = {};
      MultiplyDigits(w.matrix, taken.digits, 0, 2, y);
      const double columns = static_cast<double>(kColumns - 1);
      const double sum = 127 * (8.3e6 + columns * static_cast<double>(value));
      // Three conversions, two additions of digits, at most four of lanes.
      const double bound = Gamma(DType::kFp32, 9) * 127 * (columns + 1) * 8.3e6;
      EXPECT_NEAR(static_cast<double>(y[0]), sum, bound) << value;
      EXPECT_NEAR(static_cast<double>(y[1]), -sum, bound) << value;
    }
  });
}

}  // namespace
}  // namespace millwright::math
