#include "base/numerics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace millwright {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

const Numerics kExact(Precision::kExact);
const Numerics kFp32(Precision::kFp32);
const Numerics kFp16(Precision::kFp16);
const Numerics kAne(Precision::kAne);

double DotOf(const Numerics& numerics, const std::vector<double>& a, const std::vector<double>& b) {
  return numerics.Dot(a.data(), 1, b.data(), 1, a.size());
}

double SumOf(const Numerics& numerics, const std::vector<double>& a) {
  return numerics.Sum(a.data(), 1, a.size());
}

TEST(NumericsTest, EveryPrecisionHasAName) {
  EXPECT_EQ(PrecisionName(Precision::kExact), "exact");
  EXPECT_EQ(PrecisionName(Precision::kFp32), "fp32");
  EXPECT_EQ(PrecisionName(Precision::kFp16), "fp16");
  EXPECT_EQ(PrecisionName(Precision::kInt8), "int8");
  EXPECT_EQ(PrecisionName(Precision::kAne), "ane");
}

TEST(NumericsTest, ExactLeavesFloatsAlone) {
  for (DType dtype : {DType::kFp16, DType::kFp32}) EXPECT_EQ(kExact.Round(0.1, dtype), 0.1);
}

TEST(NumericsTest, Fp32HoldsEveryFloatInFp32) {
  EXPECT_EQ(kFp32.Round(0.1, DType::kFp16), static_cast<double>(0.1f));
  EXPECT_EQ(kFp32.Round(100000.25, DType::kFp16), 100000.25);
}

TEST(NumericsTest, Fp16RoundsTiesToEven) {
  EXPECT_EQ(kFp16.Round(2049.0, DType::kFp16), 2048.0);
  EXPECT_EQ(kFp16.Round(2051.0, DType::kFp16), 2052.0);
  EXPECT_EQ(kFp16.Round(1.0 + 0x1p-11, DType::kFp16), 1.0);
  EXPECT_EQ(kFp16.Round(-1.0 - 0x3p-11, DType::kFp16), -1.0 - 0x1p-9);
  EXPECT_EQ(kFp16.Round(0x1p-25, DType::kFp16), 0.0);
  EXPECT_EQ(kFp16.Round(0x3p-25, DType::kFp16), 0x1p-23);
  EXPECT_EQ(kFp16.Round(65519.9, DType::kFp16), 65504.0);
  EXPECT_EQ(kFp16.Round(65520.0, DType::kFp16), kInf);
  EXPECT_TRUE(std::signbit(kFp16.Round(-0.0, DType::kFp16)));
  EXPECT_TRUE(std::isnan(kFp16.Round(std::nan(""), DType::kFp16)));
}

TEST(NumericsTest, Fp16RoundsADeclaredFp32ToFp32) {
  EXPECT_EQ(kFp16.Round(0.1, DType::kFp32), static_cast<double>(0.1f));
  EXPECT_EQ(kFp16.Round(1e300, DType::kFp32), kInf);
}

TEST(NumericsTest, AneRoundsTiesAwayFromZero) {
  EXPECT_EQ(kAne.Round(2049.0, DType::kFp16), 2050.0);
  EXPECT_EQ(kAne.Round(-2049.0, DType::kFp16), -2050.0);
  EXPECT_EQ(kAne.Round(2048.9, DType::kFp16), 2048.0);
  EXPECT_EQ(kAne.Round(0x1p-25, DType::kFp16), 0x1p-24);
  EXPECT_EQ(kAne.Round(0x1p-24, DType::kFp16), 0x1p-24) << "subnormals are kept";
  EXPECT_EQ(kAne.Round(65520.0, DType::kFp16), kInf);
  EXPECT_FALSE(std::signbit(kAne.Round(-0.0, DType::kFp16)));
  EXPECT_FALSE(std::signbit(kAne.Round(-0x1p-30, DType::kFp16)));
}

TEST(NumericsTest, Fp16AgreesWithTheStorageConversion) {
  std::mt19937_64 rng(7);
  std::uniform_real_distribution<double> mantissa(-2.0, 2.0);
  std::uniform_int_distribution<int> exponent(-27, 17);
  for (int i = 0; i < 20000; ++i) {
    const double value = std::ldexp(mantissa(rng), exponent(rng));
    const double expected = ToFloat(DoubleToFp16(value));
    ASSERT_EQ(kFp16.Round(value, DType::kFp16), expected) << value;
    ASSERT_EQ(kFp16.Round(value, DType::kBf16),
              static_cast<double>(ToFloat(ToBf16(static_cast<float>(value)))))
        << value;
    ASSERT_EQ(kFp16.Round(value, DType::kFp32), static_cast<double>(static_cast<float>(value)));
    // Away from ties both roundings are the nearest fp16.
    const double away = kAne.Round(value, DType::kFp16);
    if (away != expected) {
      ASSERT_EQ(std::fabs(away - value), std::fabs(expected - value)) << value;
    }
  }
}

TEST(NumericsTest, IntegersAreClamped) {
  for (const Numerics& numerics : {kExact, kFp32, kFp16, kAne}) {
    EXPECT_EQ(numerics.Round(200.0, DType::kInt8), 127.0);
    EXPECT_EQ(numerics.Round(-200.0, DType::kInt8), -128.0);
    EXPECT_EQ(numerics.Round(-1.0, DType::kUint8), 0.0);
    EXPECT_EQ(numerics.Round(2.5, DType::kInt32), 2.0);
    EXPECT_EQ(numerics.Round(1e12, DType::kInt32), 2147483647.0);
    EXPECT_EQ(numerics.Round(-3.0, DType::kBool), 1.0);
    EXPECT_EQ(numerics.Round(std::nan(""), DType::kInt32), 0.0);
  }
}

TEST(NumericsTest, DotFollowsItsStrides) {
  const std::vector<double> a{1, 99, 2, 99, 3};
  const std::vector<double> b{10, 20, 30};
  for (const Numerics& numerics : {kExact, kFp32, kFp16, kAne}) {
    EXPECT_EQ(numerics.Dot(a.data(), 2, b.data(), 1, 3), 140.0);
    EXPECT_EQ(numerics.Dot(a.data(), 2, b.data() + 2, -1, 3), 100.0);
    EXPECT_EQ(numerics.Dot(a.data(), 1, b.data(), 1, 0), 0.0);
  }
}

// E1: a product whose operand exponents sum to -17 or less vanishes; others lose what is below
// 2^-16.
TEST(NumericsTest, AneDropsSmallProducts) {
  EXPECT_EQ(DotOf(kAne, {0x1p-8}, {0x1p-8}), 0x1p-16);
  EXPECT_EQ(DotOf(kAne, {0x1p-9}, {0x1p-8}), 0.0);
  // 1.75 * 1.75 * 2^-17 = 3.0625 * 2^-17 is above 2^-16, but its exponents sum to -17.
  EXPECT_EQ(DotOf(kAne, {0x1.Cp-9}, {0x1.Cp-8}), 0.0);
  EXPECT_EQ(DotOf(kAne, {0x1.Cp-8}, {0x1.Cp-8}), 3 * 0x1p-16) << "3.0625 is cut to 3";
  EXPECT_EQ(DotOf(kAne, {-0x1.Cp-8}, {0x1.Cp-8}), -3 * 0x1p-16) << "towards zero";
  // A gradient of 8e-5 (1.31 * 2^-14) times a weight of 0.036 (1.15 * 2^-5): lost.
  EXPECT_EQ(DotOf(kAne, {8e-5}, {0.036}), 0.0);
  EXPECT_NE(DotOf(kFp16, {8e-5}, {0.036}), 0.0);
}

TEST(NumericsTest, AneSticksAtInfinity) {
  EXPECT_EQ(DotOf(kAne, {128, 128, 1}, {128, 127, 0}), 32640.0);
  EXPECT_EQ(DotOf(kAne, {128, 128}, {128, 128}), kInf);
  EXPECT_EQ(DotOf(kAne, {-128, 128}, {128, -128}), -kInf);
  // The order of summation decides: the sum of all four is 0.
  EXPECT_EQ(DotOf(kAne, {128, 128, -128, -128}, {128, 128, 128, 128}), kInf);
  EXPECT_EQ(DotOf(kAne, {128, -128, 128, -128}, {128, 128, 128, 128}), 0.0);
  EXPECT_EQ(DotOf(kAne, {kInf, 1}, {1, 1}), kInf);
}

// E2: results end at 32752, the last fp16 below the accumulator's limit.
TEST(NumericsTest, AneResultsEndBelowTheAccumulatorsLimit) {
  EXPECT_EQ(DotOf(kAne, {32752, 7.5}, {1, 1}), 32759.5);
  EXPECT_EQ(DotOf(kAne, {32752, 8}, {1, 1}), kInf);
}

// E5: 2049 becomes 2050 and integers above 2048 are not exact.
TEST(NumericsTest, AneSumsNarrowly) {
  EXPECT_EQ(SumOf(kAne, std::vector<double>(2048, 1.0)), 2048.0);
  EXPECT_EQ(SumOf(kAne, std::vector<double>(2049, 1.0)), 2050.0);
  EXPECT_EQ(SumOf(kFp16, std::vector<double>(2049, 1.0)), 2049.0);
  EXPECT_EQ(SumOf(kAne, {4096, 1, 1, 1}), 4096.0);
}

}  // namespace
}  // namespace millwright
