#include "math/rmsnorm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/tolerance.h"
#include "math/scalar/rmsnorm.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

constexpr double kLlamaEps = 1e-5;

TEST(RmsNormTest, NormalisesOneKnownColumn) {
  const double x[] = {3, 4}, w[] = {1, 2};
  double y[2], r[1];
  RmsNorm(2, 1, 0.0, x, w, y, r);
  EXPECT_NEAR(r[0], std::sqrt(2.0 / 25.0), Gamma(DType::kFp64, 8));
  EXPECT_NEAR(y[1], 8 * std::sqrt(2.0 / 25.0), 8 * Gamma(DType::kFp64, 8));
}

void CheckForward(int64_t channels, int64_t seq) {
  const auto x = Normals(channels * seq, 1), w = Normals(channels, 2);
  std::vector<double> y(x.size()), r(static_cast<size_t>(seq));
  RmsNorm(channels, seq, kLlamaEps, x.data(), w.data(), y.data(), r.data());
  Guarded<float> xf(As<float>(x), 1), wf(As<float>(w), 2), yf(As<float>(y), 3), rf(As<float>(r), 1);
  std::fill_n(yf.data(), y.size(), 0.0f);
  RmsNorm(channels, seq, kLlamaEps, xf.data(), wf.data(), yf.data(), rf.data());
  // The sum of squares has no cancellation, so all errors are relative.
  const Tolerance limits{0, Gamma(DType::kFp32, channels + 8)};
  const auto cy = Compare(yf.values(), y, limits), cr = Compare(rf.values(), r, limits);
  EXPECT_TRUE(cy.ok) << "y: " << cy.Message();
  EXPECT_TRUE(cr.ok) << "inv_rms: " << cr.Message();
  EXPECT_TRUE(yf.Intact() && rf.Intact()) << channels << " x " << seq;
}

void CheckBackward(int64_t channels, int64_t seq, bool with_skip) {
  const auto x = Normals(channels * seq, 1), dy = Normals(channels * seq, 2);
  const auto w = Normals(channels, 3), skip = Normals(channels * seq, 4);
  auto r = Normals(seq, 5), dw = Normals(channels, 6);
  for (double& value : r) value = std::fabs(value);
  Guarded<float> dxf(As<float>(skip), 3), dwf(As<float>(dw), 1);  // dx lies on skip
  const auto xf = As<float>(x), dyf = As<float>(dy), wf = As<float>(w), rf = As<float>(r);
  const auto dw_before = dw;
  std::vector<double> dx(x.size());
  RmsNormBackward(channels, seq, dy.data(), x.data(), w.data(), r.data(),
                  with_skip ? skip.data() : nullptr, dx.data(), dw.data());
  RmsNormBackward(channels, seq, dyf.data(), xf.data(), wf.data(), rf.data(),
                  with_skip ? dxf.data() : nullptr, dxf.data(), dwf.data());
  Comparison cx, cw;
  for (int64_t s = 0; s < seq; ++s) {
    double magnitude = 0;  // of the terms of the dot product
    for (int64_t c = 0; c < channels; ++c) {
      magnitude += std::fabs(w[c] * dy[c * seq + s] * x[c * seq + s]);
    }
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t i = c * seq + s;
      const double terms =
          r[s] * std::fabs(w[c] * dy[i]) +
          std::fabs(x[i]) * magnitude * std::pow(r[s], 3) / static_cast<double>(channels) +
          std::fabs(skip[i]);
      cx.Add(i, dxf.data()[i], dx[i], {Gamma(DType::kFp32, channels + 12) * terms, 0});
    }
  }
  for (int64_t c = 0; c < channels; ++c) {
    double magnitude = std::fabs(dw_before[c]);
    for (int64_t s = 0; s < seq; ++s)
      magnitude += std::fabs(dy[c * seq + s] * x[c * seq + s] * r[s]);
    cw.Add(c, dwf.data()[c], dw[c], {Gamma(DType::kFp32, seq + 8) * magnitude, 0});
  }
  EXPECT_TRUE(cx.ok) << "dx: " << cx.Message();
  EXPECT_TRUE(cw.ok) << "dw: " << cw.Message();
  EXPECT_TRUE(dxf.Intact() && dwf.Intact()) << channels << " x " << seq;
}

TEST(RmsNormTest, VectorsAgreeWithTheTwinAtEveryWidth) {
  OnEachTarget([] {
    for (int64_t seq = 1; seq <= kTwoVectors; ++seq) CheckForward(5, seq);
    CheckForward(96, 600);  // more than one chunk of columns
  });
}

TEST(RmsNormTest, BackwardAgreesWithTheTwinAtEveryWidth) {
  OnEachTarget([] {
    for (int64_t seq = 1; seq <= kTwoVectors; ++seq) CheckBackward(5, seq, seq % 2 == 0);
    CheckBackward(96, 1200, true);
  });
}

TEST(RmsNormTest, TwinsGradientIsThatOfItsForward) {
  const int64_t channels = 6, seq = 3;
  const auto x = Normals(channels * seq, 1), dy = Normals(channels * seq, 2);
  auto w = Normals(channels, 3);
  const auto loss = [&](const std::vector<Complex>& at, const std::vector<Complex>& weight) {
    std::vector<Complex> y(at.size()), r(static_cast<size_t>(seq));
    scalar::RmsNorm(channels, seq, kLlamaEps, at.data(), weight.data(), y.data(), r.data());
    return Weighted(dy, y);
  };
  std::vector<double> y(x.size()), r(static_cast<size_t>(seq)), dx(x.size()), dw(w.size());
  RmsNorm(channels, seq, kLlamaEps, x.data(), w.data(), y.data(), r.data());
  RmsNormBackward(channels, seq, dy.data(), x.data(), w.data(), r.data(), nullptr, dx.data(),
                  dw.data());
  const auto dx_numeric =
      ComplexStepGradient(x, [&](const auto& at) { return loss(at, As<Complex>(w)); });
  const auto dw_numeric =
      ComplexStepGradient(w, [&](const auto& at) { return loss(As<Complex>(x), at); });
  const double limit = Gamma(DType::kFp64, 100 * channels);
  EXPECT_LE(NormError(dx, dx_numeric), limit);
  EXPECT_LE(NormError(dw, dw_numeric), limit);
}

// The same sum as within the whole backward step.
TEST(RmsNormTest, TheWeightsGradientAloneIsThatOfTheWhole) {
  for (const int64_t seq : {1, 7, 64, 129}) {
    constexpr int64_t kChannels = 5;
    const auto x = Normals(kChannels * seq, 1), dy = Normals(kChannels * seq, 2);
    const auto r = Normals(seq, 3), w = Normals(kChannels, 4), before = Normals(kChannels, 5);
    auto expected = before, alone = before;
    std::vector<double> dx(x.size());
    RmsNormBackward(kChannels, seq, dy.data(), x.data(), w.data(), r.data(), nullptr, dx.data(),
                    expected.data());
    RmsNormWeightGradient(kChannels, seq, dy.data(), x.data(), r.data(), alone.data());
    EXPECT_LE(NormError(std::span<const double>(alone), std::span<const double>(expected)),
              Gamma(DType::kFp64, seq));
    auto fast = As<float>(before);
    const auto xf = As<float>(x), dyf = As<float>(dy), rf = As<float>(r);
    RmsNormWeightGradient(kChannels, seq, dyf.data(), xf.data(), rf.data(), fast.data());
    EXPECT_LE((NormError<float, double>(fast, alone)), 4 * Gamma(DType::kFp32, seq)) << seq;
  }
}

}  // namespace
}  // namespace millwright::math
