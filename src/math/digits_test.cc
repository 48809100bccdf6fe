#include "math/digits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/aligned.h"
#include "base/tolerance.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

// A vector and its digits; `ok` is what TakeDigits said.
struct Taken {
  explicit Taken(std::vector<float> values) : x(std::move(values)), memory(3 * x.size()) {
    for (size_t i = 0; i < 3; ++i) digits.digits[i] = memory.data() + i * x.size();
    ok = TakeDigits(static_cast<int64_t>(x.size()), x.data(), digits);
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

double Largest(const std::vector<float>& x) {
  double largest = 0;
  for (const float value : x) largest = std::max(largest, std::fabs(static_cast<double>(value)));
  return largest;
}

// The scalar definition: a multiple of a power of two, at most 2^-22 of the largest magnitude.
TEST(TakeDigits, RoundsToTheNearestMultipleOfItsUnit) {
  OnEachTarget([] {
    for (const double scale : {1.0, 0x1.fffffep0, 0x1.fep0, 1e-29, 1e37}) {
      std::vector<double> normals = Normals(192, 1);
      const double most = *std::max_element(normals.begin(), normals.end());
      for (double& value : normals) value *= scale / most;
      const Taken taken(As<float>(normals));
      ASSERT_TRUE(taken.ok) << scale;
      const double unit = static_cast<double>(taken.digits.unit), largest = Largest(taken.x);
      int exponent = 0;
      EXPECT_EQ(std::frexp(unit, &exponent), 0.5);
      EXPECT_LE(unit, 0x1p-22 * largest * 1.01);
      for (size_t j = 0; j < taken.x.size(); ++j) {
        const double exact = static_cast<double>(taken.x[j]);
        ASSERT_LE(std::fabs(taken.Value(j) - exact), unit / 2) << j << " times " << scale;
      }
    }
  });
}

TEST(TakeDigits, HoldsTheLargestOfEitherSign) {
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

TEST(TakeDigits, RefusesWhatItCannotHold) {
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

// Exact, as integers, times the two scales: bytes at both ends, where sums are the largest.
TEST(MultiplyDigits, SumsWholeNumbersExactly) {
  OnEachTarget([] {
    constexpr int64_t kRows = 5, kColumns = 256;
    AlignedBuffer<std::byte> memory(NarrowBytes(DType::kInt8, kRows, kColumns));
    const NarrowMatrix w{DType::kInt8, kRows, kColumns, memory.data()};
    auto* values = reinterpret_cast<int8_t*>(memory.data());
    for (int64_t i = 0; i < kRows; ++i) {
      w.scales()[i] = static_cast<float>(i + 1);
      for (int64_t j = 0; j < kColumns; ++j) {
        const int64_t ends[] = {-127, 127, (i * 31 + j * 17) % 255 - 127};
        values[i * kColumns + j] = static_cast<int8_t>(ends[std::min<int64_t>(i, 2)]);
      }
    }
    std::vector<float> x(kColumns);
    for (size_t j = 0; j < x.size(); ++j) x[j] = static_cast<float>(static_cast<int>(j % 7) - 3);
    const Taken taken(x);
    ASSERT_TRUE(taken.ok);
    float y[kRows] = {-1, -1, -1, -1, -1};
    MultiplyDigits(w, taken.digits, 1, kRows, y);
    EXPECT_EQ(y[0], -1.0f);  // not among the rows
    for (int64_t i = 1; i < kRows; ++i) {
      int64_t sum = 0;
      for (int64_t j = 0; j < kColumns; ++j) {
        sum += values[i * kColumns + j] * static_cast<int64_t>(x[static_cast<size_t>(j)]);
      }
      EXPECT_EQ(y[i], static_cast<float>(sum * (i + 1))) << i;
    }
  });
}

}  // namespace
}  // namespace millwright::math
