// The published errors and samples of the ANE's tables (fact E12), over every fp16 in their range.
#include "base/ane_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/dtype.h"
#include "base/numerics.h"

namespace millwright {
namespace {

const Numerics kAne(Precision::kAne);

double OnAne(double (*fn)(double), double x) { return kAne.Round(fn(x), DType::kFp16); }

// Calls visit(x) for every fp16 of magnitude `limit` or less.
template <class Visit>
void ForEachHalf(double limit, const Visit& visit) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const double x = ToFloat(std::bit_cast<Fp16>(static_cast<uint16_t>(bits)));
    if (std::fabs(x) <= limit) visit(x);
  }
}

double LargestError(double (*table)(double), double (*exact)(double), double limit) {
  double error = 0;
  ForEachHalf(limit,
              [&](double x) { error = std::max(error, std::fabs(OnAne(table, x) - exact(x))); });
  return error;
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double Silu(double x) { return x * Sigmoid(x); }
double Gelu(double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double Tanh(double x) { return std::tanh(x); }

TEST(AneTablesTest, ErrorsAreThePublishedOnes) {
  EXPECT_NEAR(LargestError(AneSigmoid, Sigmoid, 16), 3.4e-3, 3e-4);
  EXPECT_NEAR(LargestError(AneTanh, Tanh, 16), 1.6e-3, 2e-4);
  EXPECT_NEAR(LargestError(AneGelu, Gelu, 4), 6.2e-3, 3e-4);
  EXPECT_NEAR(LargestError(AneSilu, Silu, 8), 1.5e-2, 1e-3);
}

TEST(AneTablesTest, ExpIsWithinThePublishedUnits) {
  double units = 0;
  ForEachHalf(11.0, [&](double x) {
    const double exact = std::exp(x);
    if (exact < 0x1p-14 || exact > 65504) return;
    const double spacing = std::exp2(std::floor(std::log2(exact)) - 10);
    units = std::max(units, std::fabs(OnAne(AneExp, x) - exact) / spacing);
  });
  EXPECT_LE(units, 9.1);
  EXPECT_GT(units, 3.0) << "as exact as this the ANE is not";
}

TEST(AneTablesTest, SamplesAreThePublishedOnes) {
  EXPECT_EQ(OnAne(AneSigmoid, 0.0), 0.5);
  EXPECT_NEAR(OnAne(AneGelu, 0.25), 0.1436, 4e-4);
  EXPECT_NEAR(OnAne(AneSilu, 0.5), 0.296, 2e-3);
  EXPECT_EQ(OnAne(AneExp, 0.0), 1.0);
  EXPECT_EQ(AneExp(std::log(2.0) * 3), 8.0);
}

// Between two samples: sigmoid at 0.25 is the mean of sigmoid(0) and sigmoid(0.5) = 0.62255859375.
TEST(AneTablesTest, InterpolatesBetweenSamples) {
  EXPECT_DOUBLE_EQ(AneSigmoid(0.25), (0.5 + 0.62255859375) / 2);
  EXPECT_DOUBLE_EQ(AneTanh(-0.0625), -kAne.Round(std::tanh(0.125), DType::kFp16) / 2);
}

TEST(AneTablesTest, TanhJumpsAtFour) {
  EXPECT_EQ(OnAne(AneTanh, 4.0), kAne.Round(std::tanh(4.0), DType::kFp16));
  EXPECT_LT(OnAne(AneTanh, 4.0), 1.0);
  EXPECT_EQ(OnAne(AneTanh, 4.00390625), 1.0);
  EXPECT_EQ(OnAne(AneTanh, -4.00390625), -1.0);
}

TEST(AneTablesTest, LimitsHoldOutside) {
  EXPECT_EQ(AneSigmoid(9), 1.0);
  EXPECT_EQ(AneSigmoid(-9), 0.0);
  EXPECT_EQ(AneSilu(100), 100.0);
  EXPECT_EQ(AneGelu(-5), 0.0);
  EXPECT_EQ(AneExp(-65536), 0.0);
  EXPECT_GT(AneExp(65536), 1e300);
}

}  // namespace
}  // namespace millwright
