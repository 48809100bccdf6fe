// Products of bf16 operands: by the library, with instructions or in its emulation, and of widened
// operands.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "math/gemm.h"
#include "math/test_gemm.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

std::vector<Bf16> AsBf16(const std::vector<double>& values) {
  std::vector<Bf16> to;
  for (const double value : values) to.push_back(ToBf16(static_cast<float>(value)));
  return to;
}

// The case of operands that are bf16 numbers.
GemmCase Bf16Case(const GemmShape& shape) {
  GemmCase product(shape);
  product.RoundOperands();
  return product;
}

// No element may be further off than fp32 sums of exact products are.
TEST(GemmBf16, AllFlagsSizesAndStridesAgreeWithTheDefinition) {
  GemmEngine engine;
  ForEachGemm([&](const GemmShape& shape) {
    const GemmCase product = Bf16Case(shape);
    const auto a = AsBf16(product.a), b = AsBf16(product.b);
    for (const GemmKind kind : kGemmKinds) {
      if (!engine.Has(kind)) continue;
      Guarded<float> c(As<float>(product.c), 1);
      engine.Run(shape, a.data(), b.data(), c.data(), kind);
      const Comparison comparison = product.Check(c.values());
      EXPECT_TRUE(comparison.ok) << Name(shape) << " by " << engine.DescribeBf16(shape, kind)
                                 << ": " << comparison.Message();
      EXPECT_TRUE(c.Intact()) << Name(shape);
    }
  });
}

TEST(GemmBf16, OperandsAreRoundedToNearestEven) {
  GemmEngine engine;
  ForEachGemm([&](const GemmShape& shape) {
    GemmCase product(shape);
    const auto a = As<float>(product.a), b = As<float>(product.b);
    product.RoundOperands();
    Guarded<float> c(As<float>(product.c), 1);
    engine.RunRounded(shape, a.data(), b.data(), c.data());
    const Comparison comparison = product.Check(c.values());
    EXPECT_TRUE(comparison.ok) << Name(shape) << ": " << comparison.Message();
    EXPECT_TRUE(c.Intact()) << Name(shape);
  });
  const float between = 1 + 0x1p-8f, above = 1 + 0x3p-8f, one = 1;
  float c = 0;
  const GemmShape single = DenseGemm(1, 1, 1, false, false);
  engine.RunRounded(single, &between, &one, &c);
  EXPECT_EQ(c, 1.0f);
  engine.RunRounded(single, &one, &above, &c);
  EXPECT_EQ(c, 1 + 0x1p-6f);
}

TEST(GemmBf16, CarriesWhatIsNoNumber) {
  GemmEngine engine;
  const GemmShape shape = DenseGemm(20, 33, 40, false, false);
  for (const double bad :
       {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    GemmCase product = Bf16Case(shape);
    product.a[7 * 40 + 5] = bad;
    for (const GemmKind kind : kGemmKinds) {
      if (!engine.Has(kind)) continue;
      std::vector<float> c(20 * 33);
      engine.Run(shape, AsBf16(product.a).data(), AsBf16(product.b).data(), c.data(), kind);
      for (size_t i = 0; i < c.size(); ++i) EXPECT_EQ(std::isfinite(c[i]), i / 33 != 7) << i;
    }
  }
}

TEST(GemmBf16, EmptySums) {
  GemmEngine engine;
  const Bf16* const none = nullptr;
  std::vector<float> c(6, 7.0f);
  engine.Run(DenseGemm(2, 3, 0, false, false, true), none, none, c.data());
  EXPECT_EQ(c, std::vector<float>(6, 7.0f));
  engine.Run(DenseGemm(2, 3, 0, false, false), none, none, c.data());
  EXPECT_EQ(c, std::vector<float>(6, 0.0f));
  engine.Run(DenseGemm(0, 3, 2, false, false), none, none, c.data());
}

// Where it is fast it is the library's own, and nowhere its loops without vectors.
TEST(GemmBf16, NoModelShapeFallsBackToReferenceLoops) {
  GemmEngine engine;
  ForEachModelGemm([&](const GemmShape& shape) {
    EXPECT_EQ(engine.DescribeBf16(shape).starts_with("bf16:"), HasFastBf16()) << Name(shape);
    for (const GemmKind kind : kGemmKinds) {
      const std::string name = engine.DescribeBf16(shape, kind);
      EXPECT_FALSE(name.starts_with("bf16:ref")) << Name(shape) << ": " << name;
      EXPECT_FALSE(name.ends_with(":")) << Name(shape) << ": " << name;
    }
  });
}

}  // namespace
}  // namespace millwright::math
