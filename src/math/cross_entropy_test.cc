#include "math/cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/tolerance.h"
#include "math/scalar/cross_entropy.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

std::vector<int32_t> Targets(int64_t seq, int64_t vocab) {
  const Rng rng(3, 1);
  std::vector<int32_t> targets;
  for (int64_t s = 0; s < seq; ++s) {
    targets.push_back(static_cast<int32_t>(rng.Below(s, static_cast<uint64_t>(vocab))));
  }
  targets[0] = static_cast<int32_t>(vocab - 1);  // the row with the bias
  return targets;
}

TEST(CrossEntropyTest, UniformLogitsCostTheLogOfTheVocabulary) {
  std::vector<float> logits(7 * 3, 0.25f);
  const auto targets = Targets(3, 7);
  EXPECT_NEAR(CrossEntropyLoss(7, 3, targets, 0.0, logits.data()), std::log(7.0),
              Gamma(DType::kFp32, 16));
  // A last row that stands for e^ln(4) = 4 words.
  const auto other = std::vector<int32_t>{0, 1, 2};
  EXPECT_NEAR(CrossEntropyLoss(7, 3, other, std::log(4.0), logits.data()), std::log(10.0),
              Gamma(DType::kFp32, 24));
}

TEST(CrossEntropyTest, TwinsGradientIsThatOfItsLoss) {
  const int64_t vocab = 5, seq = 4;
  const double bias = 0.7, scale = 256;
  const auto x = Normals(vocab * seq, 1);
  const auto targets = Targets(seq, vocab);
  auto gradient = x;
  CrossEntropy(vocab, seq, targets, bias, scale, gradient.data());
  auto numeric = ComplexStepGradient(x, [&](const std::vector<Complex>& at) {
    return scale * scalar::CrossEntropyLoss(vocab, seq, targets, bias, at.data());
  });
  EXPECT_LE((NormError(gradient, numeric)), Gamma(DType::kFp64, 200));
}

// An exponent carries the rounding of its argument, |logit - maximum| * u, and one ulp; a chunk's
// sum some twenty more roundings.
double RelativeBound(const std::vector<double>& logits, double bias) {
  double low = logits[0], high = logits[0];
  for (double value : logits) low = std::min(low, value), high = std::max(high, value);
  const double range = high - low + 2 * bias + std::max(std::fabs(low), std::fabs(high));
  return Gamma(DType::kFp32, 40 + static_cast<int64_t>(3 * range));
}

void CheckShape(int64_t vocab, int64_t seq, double spread) {
  const double bias = 1.5, scale = 8;
  auto logits = Normals(vocab * seq, 1);
  for (double& value : logits) value = static_cast<float>(value * spread);
  const auto targets = Targets(seq, vocab);
  Guarded<float> lf(As<float>(logits), 3);
  const double bound = RelativeBound(logits, bias);
  const double loss_only = CrossEntropyLoss(vocab, seq, targets, bias, lf.data());
  const double loss_f = CrossEntropy(vocab, seq, targets, bias, scale, lf.data());
  const double loss = CrossEntropy(vocab, seq, targets, bias, scale, logits.data());
  EXPECT_EQ(loss_only, loss_f);
  EXPECT_NEAR(loss_f, loss, bound * (1 + std::fabs(loss)));
  const double factor = scale / static_cast<double>(seq);
  Comparison c;
  for (size_t i = 0; i < logits.size(); ++i) {
    c.Add(i, lf.data()[i], logits[i],
          {bound * (std::fabs(logits[i]) + (logits[i] < 0 ? 2 * factor : 0)) +
               factor * std::numeric_limits<float>::min(),
           0});
  }
  EXPECT_TRUE(c.ok) << vocab << " x " << seq << ": " << c.Message();
  EXPECT_TRUE(lf.Intact());
}

TEST(CrossEntropyTest, VectorsAgreeWithTheTwinAtEveryWidth) {
  OnEachTarget([] {
    for (int64_t seq = 1; seq <= kTwoVectors; ++seq) CheckShape(21, seq, 3);
    for (int64_t vocab = 1; vocab <= 40; vocab += 3) CheckShape(vocab, 17, 1);
    CheckShape(700, 300, 10);  // several chunks of rows and more than one part of columns
  });
}

TEST(CrossEntropyTest, HugeLogitsNeitherOverflowNorLoseTheTarget) {
  std::vector<float> logits = {3e4f, -3e4f, 0.0f};
  const std::vector<int32_t> target = {0};
  EXPECT_EQ(CrossEntropyLoss(3, 1, target, 0.0, logits.data()), 0.0);
  EXPECT_EQ(CrossEntropy(3, 1, target, 0.0, 1.0, logits.data()), 0.0);
  for (float value : logits) EXPECT_EQ(value, 0.0f);
}

TEST(CrossEntropyTest, NanAndInfinityShowInLossAndGradient) {
  for (const float bad : {std::nanf(""), HUGE_VALF}) {
    std::vector<float> logits(5 * 20, 1.0f);
    logits[2 * 20 + 7] = bad;  // not a target
    const std::vector<int32_t> targets(20, 1);
    EXPECT_FALSE(std::isfinite(CrossEntropy(5, 20, targets, 0.0, 1.0, logits.data())));
    EXPECT_TRUE(std::isnan(logits[2 * 20 + 7]));
  }
}

TEST(CrossEntropyTest, ResultDoesNotDependOnThreads) {
  const int64_t vocab = 300, seq = 64;
  const auto targets = Targets(seq, vocab);
  auto one = As<float>(Normals(vocab * seq, 1)), two = one;
  const int threads = GetThreads();
  SetThreads(1);
  const double loss_one = CrossEntropy(vocab, seq, targets, 0.5, 1.0, one.data());
  SetThreads(3);
  const double loss_two = CrossEntropy(vocab, seq, targets, 0.5, 1.0, two.data());
  SetThreads(threads);
  EXPECT_EQ(loss_one, loss_two);
  EXPECT_EQ(one, two);
}

// From the probabilities of another softmax: the same loss and gradient.
TEST(CrossEntropyTest, OfProbabilitiesIsThatOfTheirLogits) {
  constexpr int64_t kWords = 9, kSeq = 5;
  const std::vector<int32_t> targets = {0, 8, 3, 3, 7};
  auto logits = Normals(kWords * kSeq, 1);
  std::vector<double> probabilities(logits.size());
  for (int64_t s = 0; s < kSeq; ++s) {
    double sum = 0;
    for (int64_t v = 0; v < kWords; ++v) sum += std::exp(logits[v * kSeq + s]);
    for (int64_t v = 0; v < kWords; ++v) {
      probabilities[v * kSeq + s] = std::exp(logits[v * kSeq + s]) / sum;
    }
  }
  const double expected = CrossEntropy(kWords, kSeq, targets, 0, 4, logits.data());
  const double loss =
      CrossEntropyOfProbabilities(kWords, kSeq, targets, 0x1p-25, 4, probabilities.data());
  EXPECT_NEAR(loss, expected, 1e-12);
  for (size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(probabilities[i], logits[i], 1e-12) << i;
}

TEST(CrossEntropyTest, ProbabilitiesThatVanishHaveAFiniteLoss) {
  std::vector<float> probabilities = {0, 1};
  const std::vector<int32_t> targets = {0};
  EXPECT_EQ(CrossEntropyOfProbabilities(2, 1, targets, 0x1p-25, 1, probabilities.data()),
            25 * std::log(2.0));
  EXPECT_EQ(probabilities, (std::vector<float>{-1, 1}));
  probabilities = {std::nanf(""), 1};
  EXPECT_TRUE(
      std::isnan(CrossEntropyOfProbabilities(2, 1, targets, 0x1p-25, 1, probabilities.data())));
}

}  // namespace
}  // namespace millwright::math
