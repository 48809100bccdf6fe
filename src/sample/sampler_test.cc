#include "sample/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

namespace millwright::sample {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Logits of probabilities 1/2, 1/4, 1/8, 1/16, 1/16, not in order.
const std::vector<float>& Halves() {
  static const std::vector<float> logits = [] {
    std::vector<float> result;
    for (const double p : {0.125, 0.0625, 0.5, 0.0625, 0.25}) {
      result.push_back(static_cast<float>(std::log(p)));
    }
    return result;
  }();
  return logits;
}

std::map<int32_t, int> Draw(const SamplingOptions& options, std::span<const float> logits,
                            int draws) {
  Sampler sampler(options);
  std::map<int32_t, int> counts;
  for (int i = 0; i < draws; ++i) {
    const auto token = sampler.Pick(logits, static_cast<uint64_t>(i));
    EXPECT_TRUE(token.ok());
    ++counts[*token];
  }
  return counts;
}

// Pearson's statistic against `expected` probabilities, held to the bound that a chi-square
// variable of its degrees of freedom exceeds with probability e^-20 at most. Source: Laurent and
// Massart, "Adaptive estimation of a quadratic functional by model selection", 2000, lemma 1.
void ExpectDistribution(const std::map<int32_t, int>& counts,
                        const std::map<int32_t, double>& expected, int draws) {
  double statistic = 0;
  for (const auto& [token, p] : expected) {
    const auto it = counts.find(token);
    const double mean = p * draws, found = it == counts.end() ? 0.0 : it->second;
    statistic += (found - mean) * (found - mean) / mean;
  }
  for (const auto& [token, count] : counts) {
    EXPECT_TRUE(expected.contains(token)) << token << " drawn " << count << " times";
  }
  const double freedom = static_cast<double>(expected.size()) - 1, x = 20;
  EXPECT_LE(statistic, freedom + 2 * std::sqrt(freedom * x) + 2 * x);
}

constexpr int kDraws = 50000;

TEST(Sampler, DrawsBySoftmax) {
  const SamplingOptions options = {.temperature = 1, .top_k = 0, .top_p = 1, .seed = 1};
  ExpectDistribution(Draw(options, Halves(), kDraws),
                     {{0, 0.125}, {1, 0.0625}, {2, 0.5}, {3, 0.0625}, {4, 0.25}}, kDraws);
}

TEST(Sampler, TemperatureRaisesProbabilitiesToItsInverse) {
  // At 1/2, probabilities are squared: 64, 16, 4, 1, 1 of 86.
  const SamplingOptions options = {.temperature = 0.5, .top_k = 0, .top_p = 1, .seed = 2};
  ExpectDistribution(Draw(options, Halves(), kDraws),
                     {{0, 4.0 / 86}, {1, 1.0 / 86}, {2, 64.0 / 86}, {3, 1.0 / 86}, {4, 16.0 / 86}},
                     kDraws);
}

TEST(Sampler, TopKKeepsTheMostProbable) {
  const SamplingOptions options = {.temperature = 1, .top_k = 3, .top_p = 1, .seed = 3};
  ExpectDistribution(Draw(options, Halves(), kDraws), {{2, 4.0 / 7}, {4, 2.0 / 7}, {0, 1.0 / 7}},
                     kDraws);
  // Of the equals 1 and 3, the lower id counts as the more probable.
  const SamplingOptions four = {.temperature = 1, .top_k = 4, .top_p = 1, .seed = 3};
  EXPECT_FALSE(Draw(four, Halves(), 1000).contains(3));
  EXPECT_TRUE(Draw(four, Halves(), 1000).contains(1));
}

TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
  const SamplingOptions two = {.temperature = 1, .top_k = 0, .top_p = 0.7, .seed = 4};
  ExpectDistribution(Draw(two, Halves(), kDraws), {{2, 2.0 / 3}, {4, 1.0 / 3}}, kDraws);
  const SamplingOptions three = {.temperature = 1, .top_k = 0, .top_p = 0.8, .seed = 4};
  ExpectDistribution(Draw(three, Halves(), kDraws), {{2, 4.0 / 7}, {4, 2.0 / 7}, {0, 1.0 / 7}},
                     kDraws);
  // Of the three that top_k leaves (4/7, 2/7, 1/7), two reach 0.8.
  const SamplingOptions both = {.temperature = 1, .top_k = 3, .top_p = 0.8, .seed = 4};
  ExpectDistribution(Draw(both, Halves(), kDraws), {{2, 2.0 / 3}, {4, 1.0 / 3}}, kDraws);
}

TEST(Sampler, GreedyTakesTheHighestAndTheFirstAmongEquals) {
  const std::vector<float> logits = {-1, 3, 2, 3};
  for (const SamplingOptions& options :
       {SamplingOptions{.temperature = 0}, SamplingOptions{.top_k = 1},
        SamplingOptions{.top_p = std::numeric_limits<double>::min()}}) {
    EXPECT_EQ(Draw(options, logits, 100), (std::map<int32_t, int>{{1, 100}}));
  }
}

TEST(Sampler, ADrawIsAFunctionOfSeedAndNumber) {
  Sampler a({.seed = 7}), b({.seed = 7}), c({.seed = 8});
  int differs_by_seed = 0, differs_by_draw = 0;
  for (uint64_t draw = 0; draw < 200; ++draw) {
    const int32_t token = *a.Pick(Halves(), draw);
    EXPECT_EQ(token, *b.Pick(Halves(), draw));
    EXPECT_EQ(token, *a.Pick(Halves(), draw));
    differs_by_seed += token != *c.Pick(Halves(), draw);
    differs_by_draw += token != *a.Pick(Halves(), draw + 1);
  }
  EXPECT_GT(differs_by_seed, 0);
  EXPECT_GT(differs_by_draw, 0);
}

TEST(Sampler, ImpossibleTokensAreNeverDrawn) {
  const std::vector<float> logits = {-kInfinity, 0, -kInfinity, -1e30f};
  const SamplingOptions options = {.temperature = 2, .top_k = 0, .top_p = 1};
  EXPECT_EQ(Draw(options, logits, 1000), (std::map<int32_t, int>{{1, 1000}}));
}

TEST(Sampler, FailsOnLogitsThatAreNotNumbers) {
  for (const double temperature : {0.0, 1.0}) {
    Sampler sampler({.temperature = temperature});
    const auto nan = sampler.Pick(std::vector<float>{0, std::nanf(""), 1}, 0);
    ASSERT_FALSE(nan.ok());
    EXPECT_NE(nan.error().message.find("token 1"), std::string::npos) << nan.error().message;
    EXPECT_FALSE(sampler.Pick(std::vector<float>{0, kInfinity}, 0).ok());
    EXPECT_FALSE(sampler.Pick(std::vector<float>{-kInfinity, -kInfinity}, 0).ok());
  }
}

TEST(Sampler, RefusesImpossibleOptionsByFlag) {
  EXPECT_TRUE(Validate({}).ok());
  const std::pair<SamplingOptions, const char*> wrong[] = {
      {{.temperature = -0.1}, "--temperature"},
      {{.temperature = std::nan("")}, "--temperature"},
      {{.top_k = -1}, "--top-k"},
      {{.top_p = 0}, "--top-p"},
      {{.top_p = 1.01}, "--top-p"},
      {{.top_p = std::nan("")}, "--top-p"}};
  for (const auto& [options, flag] : wrong) {
    const Status status = Validate(options);
    ASSERT_FALSE(status.ok()) << flag;
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(status.error().message.find(flag), std::string::npos) << status.error().message;
  }
}

}  // namespace
}  // namespace millwright::sample
