#include "math/adamw.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/tolerance.h"
#include "math/scalar/adamw.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

TEST(AdamWTest, FirstStepMovesByTheLearningRate) {
  // At step 1 the corrected moments are g and g^2: the step is lr * sign(g), decay apart.
  const AdamW options{.lr = 0.01, .eps = 0, .weight_decay = 0.1, .grad_scale = 0.5, .step = 1};
  double w[] = {2.0}, g[] = {-8.0}, m[] = {0.0}, v[] = {0.0};
  AdamWUpdate(options, 1, w, g, m, v);
  const double tolerance = 4 * Gamma(DType::kFp64, 8);
  EXPECT_NEAR(w[0], 2.0 - 0.01 * (-1.0 + 0.1 * 2.0), tolerance);
  EXPECT_NEAR(m[0], 0.1 * -4.0, tolerance);
  EXPECT_NEAR(v[0], 0.05 * 16.0, tolerance);
  EXPECT_EQ(g[0], -8.0);
}

void CheckAdamW(int64_t count, const AdamW& options) {
  auto w = Normals(count, 1), g = Normals(count, 2), m = Normals(count, 3), v = Normals(count, 4);
  for (double& value : v) value = std::fabs(value);
  Guarded<float> wf(As<float>(w), 1), gf(As<float>(g), 2), mf(As<float>(m), 3), vf(As<float>(v), 5);
  const auto w0 = w, g0 = g, m0 = m;
  AdamWUpdate(options, count, w.data(), g.data(), m.data(), v.data());
  AdamWUpdate(options, count, wf.data(), gf.data(), mf.data(), vf.data());
  const double gamma = Gamma(DType::kFp32, 16);
  const double correction1 = 1 - std::pow(options.beta1, static_cast<double>(options.step));
  const double correction2 = 1 - std::pow(options.beta2, static_cast<double>(options.step));
  Comparison cw, cm, cv;
  for (int64_t i = 0; i < count; ++i) {
    const double m_terms = options.beta1 * std::fabs(m0[i]) +
                           (1 - options.beta1) * options.grad_scale * std::fabs(g0[i]);
    const double step =
        options.lr * m_terms / correction1 / (std::sqrt(v[i] / correction2) + options.eps);
    cm.Add(i, mf.data()[i], m[i], {gamma * m_terms, 0});
    cv.Add(i, vf.data()[i], v[i], {0, gamma});
    cw.Add(i, wf.data()[i], w[i], {gamma * (2 * std::fabs(w0[i]) + step), 0});
  }
  EXPECT_TRUE(cw.ok) << "w: " << cw.Message();
  EXPECT_TRUE(cm.ok) << "m: " << cm.Message();
  EXPECT_TRUE(cv.ok) << "v: " << cv.Message();
  EXPECT_TRUE(wf.Intact() && gf.Intact() && mf.Intact() && vf.Intact());
}

TEST(AdamWTest, VectorsAgreeWithTheTwinAtEveryCount) {
  OnEachTarget([] {
    const AdamW options{.lr = 1e-3, .weight_decay = 0.1, .grad_scale = 0.3, .step = 7};
    for (int64_t count = 0; count <= kTwoVectors; ++count) CheckAdamW(count, options);
    CheckAdamW(5000, AdamW{.lr = 1e-2, .step = 1});
  });
}

// With moments in bf16 an element is off by at most one rounding of each moment, and the weight by
// what that of the moments before made of it.
void CheckBf16(int64_t count, const AdamW& options) {
  const auto w = As<float>(Normals(count, 1)), g = As<float>(Normals(count, 2));
  auto m0 = As<float>(Normals(count, 3)), v0 = As<float>(Normals(count, 4));
  std::vector<Bf16> m, v;
  for (float& x : m0) x = ToFloat(m.emplace_back(ToBf16(x)));
  for (float& x : v0) x = ToFloat(v.emplace_back(ToBf16(std::fabs(x))));
  Guarded<float> wide_w(w, 1), wide_m(m0, 2), wide_v(v0, 3), half_w(w, 4);
  Guarded<Bf16> half_m(m, 5), half_v(v, 6);
  AdamWUpdate(options, count, wide_w.data(), g.data(), wide_m.data(), wide_v.data());
  AdamWUpdate(options, count, half_w.data(), g.data(), half_m.data(), half_v.data());
  std::vector<float> twin_w = w;
  scalar::AdamWUpdate(options, count, twin_w.data(), g.data(), m.data(), v.data());
  for (int64_t i = 0; i < count; ++i) {
    // The same arithmetic on the same values, so the same bits, rounded as ToBf16 rounds.
    ASSERT_EQ(half_w.data()[i], wide_w.data()[i]) << i;
    ASSERT_EQ(half_m.data()[i], ToBf16(wide_m.data()[i])) << i;
    ASSERT_EQ(half_v.data()[i], ToBf16(wide_v.data()[i])) << i;
    // The twin computes in another order: a neighbour at most.
    ASSERT_LE(std::abs(half_m.data()[i].bits - m[static_cast<size_t>(i)].bits), 1) << i;
    ASSERT_LE(std::abs(half_v.data()[i].bits - v[static_cast<size_t>(i)].bits), 1) << i;
    ASSERT_NEAR(half_w.data()[i], twin_w[static_cast<size_t>(i)], 1e-5) << i;
  }
  EXPECT_TRUE(half_w.Intact() && half_m.Intact() && half_v.Intact());
}

TEST(AdamWTest, Bf16MomentsAreTheRoundedFp32Ones) {
  OnEachTarget([] {
    const AdamW options{.lr = 1e-3, .weight_decay = 0.1, .grad_scale = 0.3, .step = 7};
    for (int64_t count = 0; count <= kTwoVectors; ++count) CheckBf16(count, options);
    CheckBf16(5000, options);
  });
}

TEST(AdamWTest, ZeroGradientFromZeroMomentsLeavesTheWeight) {
  std::vector<float> w = {1.5f, -2.0f}, g(2), m(2), v(2);
  AdamWUpdate(AdamW{}, 2, w.data(), g.data(), m.data(), v.data());
  EXPECT_EQ(w, (std::vector<float>{1.5f, -2.0f}));
}

}  // namespace
}  // namespace millwright::math
