#include "math/swiglu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/tolerance.h"
#include "math/scalar/swiglu.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

TEST(SwigluTest, TwinsGradientIsThatOfItsForward) {
  const int64_t count = 9;
  const auto g = Normals(count, 1), h1 = Normals(count, 2), h3 = Normals(count, 3);
  std::vector<double> dh1(h1.size()), dh3(h3.size());
  SwigluBackward(count, g.data(), h1.data(), h3.data(), dh1.data(), dh3.data());
  const auto loss = [&](const std::vector<Complex>& a, const std::vector<Complex>& b) {
    std::vector<Complex> gate(a.size());
    scalar::Swiglu(count, a.data(), b.data(), gate.data());
    return Weighted(g, gate);
  };
  const double limit = Gamma(DType::kFp64, 100);
  EXPECT_LE(
      NormError(dh1, ComplexStepGradient(h1, [&](auto& at) { return loss(at, As<Complex>(h3)); })),
      limit);
  EXPECT_LE(
      NormError(dh3, ComplexStepGradient(h3, [&](auto& at) { return loss(As<Complex>(h1), at); })),
      limit);
}

// `stretch` widens the gate's input: its exponential overflows from about 88 on.
void CheckSwiglu(int64_t count, double stretch) {
  const auto g = Normals(count, 1), h3 = Normals(count, 3);
  auto h1 = Normals(count, 2);
  for (double& value : h1) value = static_cast<float>(value * stretch);
  std::vector<double> dh1(h1.size()), dh3(h3.size());
  SwigluBackward(count, g.data(), h1.data(), h3.data(), dh1.data(), dh3.data());
  Guarded<float> first(As<float>(h1), 1), third(As<float>(h3), 3);  // in place
  const auto gf = As<float>(g);
  SwigluBackward(count, gf.data(), first.data(), third.data(), first.data(), third.data());
  Comparison c1, c3;
  // The exponential is good to one ulp; with the other operations at most 16 roundings. A sigmoid
  // below the smallest normal number may be lost.
  constexpr double kLost = std::numeric_limits<float>::min();
  const double gamma = Gamma(DType::kFp32, 16);
  for (int64_t i = 0; i < count; ++i) {
    const double s = scalar::Sigmoid(h1[i]), reach = 1 + std::fabs(h1[i]);
    c1.Add(i, first.data()[i], dh1[i], {(gamma * s + kLost) * std::fabs(g[i] * h3[i]) * reach, 0});
    c3.Add(i, third.data()[i], dh3[i], {(gamma * s + kLost) * std::fabs(g[i] * h1[i]), 0});
  }
  EXPECT_TRUE(c1.ok) << "dh1: " << c1.Message();
  EXPECT_TRUE(c3.ok) << "dh3: " << c3.Message();
  EXPECT_TRUE(first.Intact() && third.Intact());
}

TEST(SwigluTest, VectorsAgreeWithTheTwinAtEveryCount) {
  OnEachTarget([] {
    for (int64_t count = 0; count <= kTwoVectors; ++count) CheckSwiglu(count, 2);
    CheckSwiglu(5000, 1);
    CheckSwiglu(5000, 100);
  });
}

}  // namespace
}  // namespace millwright::math
