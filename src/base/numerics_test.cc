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
const Numerics kAneNumerics(Precision::kAne);

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
  EXPECT_EQ(PrecisionName(Precision::kBf16), "bf16");
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

TEST(NumericsTest, RoundedProductsAreAllThatDiffersFromFp32) {
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    EXPECT_TRUE(HasRoundedProducts(precision));
    EXPECT_EQ(Numerics(precision).Round(0.1, DType::kFp32), static_cast<double>(0.1f));
    EXPECT_EQ(Numerics(precision).Round(0.1, DType::kFp16), static_cast<double>(0.1f));
  }
  for (const Precision precision :
       {Precision::kExact, Precision::kFp32, Precision::kFp16, Precision::kAne}) {
    EXPECT_FALSE(HasRoundedProducts(precision));
  }
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
  EXPECT_EQ(kAneNumerics.Round(2049.0, DType::kFp16), 2050.0);
  EXPECT_EQ(kAneNumerics.Round(-2049.0, DType::kFp16), -2050.0);
  EXPECT_EQ(kAneNumerics.Round(2048.9, DType::kFp16), 2048.0);
  EXPECT_EQ(kAneNumerics.Round(0x1p-25, DType::kFp16), 0x1p-24);
  EXPECT_EQ(kAneNumerics.Round(0x1p-24, DType::kFp16), 0x1p-24) << "subnormals are kept";
  EXPECT_EQ(kAneNumerics.Round(65520.0, DType::kFp16), kInf);
  EXPECT_FALSE(std::signbit(kAneNumerics.Round(-0.0, DType::kFp16)));
  EXPECT_FALSE(std::signbit(kAneNumerics.Round(-0x1p-30, DType::kFp16)));
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
    const double away = kAneNumerics.Round(value, DType::kFp16);
    if (away != expected) {
      ASSERT_EQ(std::fabs(away - value), std::fabs(expected - value)) << value;
    }
  }
}

TEST(NumericsTest, IntegersAreClamped) {
  for (const Numerics& numerics : {kExact, kFp32, kFp16, kAneNumerics}) {
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
  for (const Numerics& numerics : {kExact, kFp32, kFp16, kAneNumerics}) {
    EXPECT_EQ(numerics.Dot(a.data(), 2, b.data(), 1, 3), 140.0);
    EXPECT_EQ(numerics.Dot(a.data(), 2, b.data() + 2, -1, 3), 100.0);
    EXPECT_EQ(numerics.Dot(a.data(), 1, b.data(), 1, 0), 0.0);
  }
}

// E1, vectors of notes/numerics.md (section H12) of the M6 study: a product whose operand exponents
// sum to -17 or less vanishes, others are rounded half away from zero to multiples of 2^-16.
TEST(NumericsTest, AneDropsSmallProducts) {
  EXPECT_EQ(DotOf(kAneNumerics, {0x1p-8}, {0x1p-8}), 0x1p-16);
  EXPECT_EQ(DotOf(kAneNumerics, {0x1p-9}, {0x1p-8}), 0.0);
  // 1.875 * 2^-3 * 1.875 * 2^-14 is 1.76 steps, but its exponents sum to -17; so do those of the
  // product of 1.98 steps, and those of 1.43.
  EXPECT_EQ(DotOf(kAneNumerics, {0x1.Ep-3}, {0x1.Ep-14}), 0.0);
  EXPECT_EQ(DotOf(kAneNumerics, {0x1.FD8p-3}, {0x1.FD8p-14}), 0.0);
  EXPECT_EQ(DotOf(kAneNumerics, {0x1.8p-4}, {0x1.E68p-13}), 0.0);
  // 0.125 * 1.5 * 2^-13 is 1.5 steps with exponents that sum to -16.
  EXPECT_EQ(DotOf(kAneNumerics, {0x1p-3}, {0x1.8p-13}), 2 * 0x1p-16)
      << "half a step goes away from zero";
  EXPECT_EQ(DotOf(kAneNumerics, {-0x1p-3}, {0x1.8p-13}), -2 * 0x1p-16);
  // 1.75 * 1.75 * 2^-16 is 3.0625 steps.
  EXPECT_EQ(DotOf(kAneNumerics, {0x1.Cp-8}, {0x1.Cp-8}), 3 * 0x1p-16);
  // A gradient of 8e-5 (1.31 * 2^-14) times a weight of 0.036 (1.15 * 2^-5): lost.
  EXPECT_EQ(DotOf(kAneNumerics, {8e-5}, {0.036}), 0.0);
  EXPECT_NE(DotOf(kFp16, {8e-5}, {0.036}), 0.0);
}

// E1: a subnormal fp16 counts as exponent -14, so that its product may be rounded up.
TEST(NumericsTest, AneTakesSubnormalsForExponentMinus14) {
  EXPECT_EQ(DotOf(kAneNumerics, {0x1p-17}, {1.0}), 0x1p-16);
  EXPECT_EQ(DotOf(kAneNumerics, {0x1p-18}, {1.0}), 0.0);
  EXPECT_EQ(DotOf(kAneNumerics, {0.25}, {0x1p-15}), 0x1p-16) << "exponents -2 and -14, half a step";
  EXPECT_EQ(DotOf(kAneNumerics, {0.125}, {0x1.8p-15}), 0.0) << "exponents -3 and -14";
}

// E1: nothing is lost beside a large partial sum, for the sum is fixed point.
TEST(NumericsTest, AneSumsExactly) {
  EXPECT_EQ(DotOf(kAneNumerics, {16384, 0x1p-16, -16384}, {1, 1, 1}), 0x1p-16);
  EXPECT_EQ(DotOf(kAneNumerics, {16384, 0x1p-18, -16384}, {1, 1, 1}), 0.0);
  EXPECT_EQ(DotOf(kAneNumerics, {2048, 1}, {1, 1}), 2049.0);
}

TEST(NumericsTest, AneSticksAtInfinity) {
  EXPECT_EQ(DotOf(kAneNumerics, {128, 128, 1}, {128, 127, 0}), 32640.0);
  EXPECT_EQ(DotOf(kAneNumerics, {128, 128}, {128, 128}), kInf);
  EXPECT_EQ(DotOf(kAneNumerics, {-128, 128}, {128, -128}), -kInf);
  // The order of summation decides: the sum of all four is 0.
  EXPECT_EQ(DotOf(kAneNumerics, {128, 128, -128, -128}, {128, 128, 128, 128}), kInf);
  EXPECT_EQ(DotOf(kAneNumerics, {128, -128, 128, -128}, {128, 128, 128, 128}), 0.0);
  EXPECT_EQ(DotOf(kAneNumerics, {kInf, 1}, {1, 1}), kInf);
}

// E13: operands that are no finite numbers count as 65536 and 98304. AF's inf * x = -52416 in fp16.
TEST(NumericsTest, AneReadsInfinitiesAndNansAsNumbers) {
  const double nan = std::nan("");
  EXPECT_EQ(kAneNumerics.Operand(kInf), 65536.0);
  EXPECT_EQ(kAneNumerics.Operand(-kInf), -65536.0);
  EXPECT_EQ(kAneNumerics.Operand(nan), 98304.0);
  EXPECT_EQ(kAneNumerics.Operand(7.0), 7.0);
  EXPECT_TRUE(std::isnan(kFp16.Operand(nan)));
  EXPECT_EQ(kAneNumerics.Round(kAneNumerics.Operand(kInf) * -0.7998046875, DType::kFp16), -52416.0);
  EXPECT_EQ(DotOf(kAneNumerics, {nan}, {0.25}), 24576.0) << "a NaN disappears";
  EXPECT_EQ(DotOf(kAneNumerics, {nan}, {1.0}), kInf);
  EXPECT_EQ(DotOf(kAneNumerics, {kInf}, {0.0}), 0.0);
  EXPECT_TRUE(std::isnan(
      DotOf(Numerics(Precision::kAne, AneRules().Set(AneRule::kDecode, false)), {nan}, {1.0})));
}

// Each rule of the arithmetic can be switched off by itself.
TEST(NumericsTest, AneRulesCanBeSwitchedOff) {
  const auto without = [](AneRule rule) {
    return Numerics(Precision::kAne, AneRules().Set(rule, false));
  };
  EXPECT_EQ(DotOf(without(AneRule::kVanish), {0x1.Ep-3}, {0x1.Ep-14}), 2 * 0x1p-16);
  Numerics plain(Precision::kAne,
                 AneRules().Set(AneRule::kFixedPoint, false).Set(AneRule::kVanish, false));
  EXPECT_EQ(DotOf(plain, {0x1p-12}, {0x1p-12}), 0x1p-24);
  EXPECT_EQ(DotOf(without(AneRule::kSticky), {128, 128, -128}, {128, 128, 128}), 16384.0);
  EXPECT_EQ(DotOf(without(AneRule::kSticky), {128, 128}, {128, 128}), kInf);
  EXPECT_EQ(DotOf(without(AneRule::kOutputLimit), {32752, 8}, {1, 1}), 32760.0);
  EXPECT_EQ(SumOf(without(AneRule::kNarrowSum), std::vector<double>(2049, 1.0)), 2049.0);
  EXPECT_EQ(without(AneRule::kRoundAway).Round(2049.0, DType::kFp16), 2048.0);
  EXPECT_TRUE(std::signbit(without(AneRule::kPositiveZero).Round(-0.0, DType::kFp16)));
  const Numerics none(Precision::kAne, AneRules::None());
  EXPECT_EQ(DotOf(none, {128, 128}, {128, 128}), 32768.0);
}

// E2: results end at 32752, the last fp16 below the accumulator's limit.
TEST(NumericsTest, AneResultsEndBelowTheAccumulatorsLimit) {
  EXPECT_EQ(DotOf(kAneNumerics, {32752, 7.5}, {1, 1}), 32759.5);
  EXPECT_EQ(DotOf(kAneNumerics, {32752, 8}, {1, 1}), kInf);
}

// E5: 2049 becomes 2050 and integers above 2048 are not exact.
TEST(NumericsTest, AneSumsNarrowly) {
  EXPECT_EQ(SumOf(kAneNumerics, std::vector<double>(2048, 1.0)), 2048.0);
  EXPECT_EQ(SumOf(kAneNumerics, std::vector<double>(2049, 1.0)), 2050.0);
  EXPECT_EQ(SumOf(kFp16, std::vector<double>(2049, 1.0)), 2049.0);
  EXPECT_EQ(SumOf(kAneNumerics, {4096, 1, 1, 1}), 4096.0);
}

}  // namespace
}  // namespace millwright
