#include "math/qk_norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/tolerance.h"
#include "math/scalar/qk_norm.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

constexpr double kQwen3Eps = 1e-6;

TEST(QkNormTest, TwinsGradientIsThatOfItsForward) {
  const int64_t heads = 2, head_dim = 4, seq = 3, count = heads * head_dim * seq;
  const auto x = Normals(count, 1), dy = Normals(count, 2), w = Normals(head_dim, 3);
  std::vector<double> dx(x.size()), dw(w.size());
  QkNormBackward(heads, head_dim, seq, kQwen3Eps, dy.data(), x.data(), w.data(), dx.data(),
                 dw.data());
  const auto loss = [&](const std::vector<Complex>& at, const std::vector<Complex>& weight) {
    std::vector<Complex> y(at.size());
    scalar::QkNorm(heads, head_dim, seq, kQwen3Eps, at.data(), weight.data(), y.data());
    return Weighted(dy, y);
  };
  const auto dx_numeric =
      ComplexStepGradient(x, [&](const auto& at) { return loss(at, As<Complex>(w)); });
  const auto dw_numeric =
      ComplexStepGradient(w, [&](const auto& at) { return loss(As<Complex>(x), at); });
  const double limit = Gamma(DType::kFp64, 100 * head_dim);
  EXPECT_LE(NormError(dx, dx_numeric), limit);
  EXPECT_LE(NormError(dw, dw_numeric), limit);
}

// The errors of r count three times in dx, once in dw; each is at most (head_dim + 4) roundings.
void CheckWidth(int64_t heads, int64_t head_dim, int64_t seq) {
  const int64_t count = heads * head_dim * seq;
  const auto x = Normals(count, 1), dy = Normals(count, 2), w = Normals(head_dim, 3);
  auto dw = Normals(head_dim, 4);
  Guarded<float> dxf(As<float>(dy), 1), dwf(As<float>(dw), 3);  // dx lies on dy
  const auto xf = As<float>(x), wf = As<float>(w);
  auto dw_terms = As<double>(dw);
  for (double& value : dw_terms) value = std::fabs(value);
  std::vector<double> dx(x.size());
  QkNormBackward(heads, head_dim, seq, kQwen3Eps, dy.data(), x.data(), w.data(), dx.data(),
                 dw.data());
  QkNormBackward(heads, head_dim, seq, kQwen3Eps, dxf.data(), xf.data(), wf.data(), dxf.data(),
                 dwf.data());
  Comparison cx, cw;
  for (int64_t h = 0; h < heads; ++h) {
    for (int64_t s = 0; s < seq; ++s) {
      const auto at = [&](int64_t c) { return (h * head_dim + c) * seq + s; };
      double squares = 0, magnitude = 0;
      for (int64_t c = 0; c < head_dim; ++c) {
        squares += x[at(c)] * x[at(c)];
        magnitude += std::fabs(w[c] * dy[at(c)] * x[at(c)]);
      }
      const auto channels = static_cast<double>(head_dim);
      const double r = 1 / std::sqrt(squares / channels + kQwen3Eps);
      for (int64_t c = 0; c < head_dim; ++c) {
        const double terms = r * std::fabs(w[c] * dy[at(c)]) +
                             std::fabs(x[at(c)]) * magnitude * r * r * r / channels;
        cx.Add(at(c), dxf.data()[at(c)], dx[at(c)],
               {Gamma(DType::kFp32, 4 * (head_dim + 4)) * terms, 0});
        dw_terms[c] += std::fabs(dy[at(c)] * x[at(c)] * r);
      }
    }
  }
  for (int64_t c = 0; c < head_dim; ++c) {
    const int64_t roundings = heads * seq + head_dim + 12;
    cw.Add(c, dwf.data()[c], dw[c], {Gamma(DType::kFp32, roundings) * dw_terms[c], 0});
  }
  EXPECT_TRUE(cx.ok) << "dx: " << cx.Message();
  EXPECT_TRUE(cw.ok) << "dw: " << cw.Message();
  EXPECT_TRUE(dxf.Intact() && dwf.Intact());
}

TEST(QkNormTest, VectorsAgreeWithTheTwinAtEveryWidth) {
  OnEachTarget([] {
    for (int64_t seq = 1; seq <= kTwoVectors; ++seq) CheckWidth(3, 6, seq);
    CheckWidth(4, 64, 256);
  });
}

}  // namespace
}  // namespace millwright::math
