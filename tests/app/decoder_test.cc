// The forward pass of generation against the trained network's, and the cached one against both.
#include <gmock/gmock.h>

#include "base/tolerance.h"
#include "sample/decoder.h"
#include "sample/forward.h"
#include "tests/app/network_weights.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

// A network in double with parameters that fp32 holds exactly.
struct Exact {
  explicit Exact(const model::ModelConfig& config) {
    auto created = train::Network<double>::Create(
        *device, {.config = config, .moments = train::Moments::kNone}, FullVocab(config));
    EXPECT_TRUE(created.ok()) << (created.ok() ? "" : created.error().message);
    network = std::move(*created);
    FillForGradients(network->parameters(), 3);
    EXPECT_TRUE(network->StageWeights().ok());
  }

  // The logits after `tokens`, at most seq of them.
  std::vector<double> Logits(std::span<const int32_t> tokens) {
    const auto seq = static_cast<size_t>(network->config().seq);
    std::vector<int32_t> rows(tokens.begin(), tokens.end());
    rows.resize(seq);
    const auto all = *network->Logits(rows);
    std::vector<double> logits;
    for (size_t i = tokens.size() - 1; i < all.size(); i += seq) logits.push_back(all[i]);
    return logits;
  }

  std::unique_ptr<device::Device> device = OpenTestDevice("reference", Precision::kExact);
  std::unique_ptr<train::Network<double>> network;
};

std::vector<int32_t> RandomTokens(const model::ModelConfig& config, uint64_t count) {
  const Rng rng(5, 5);
  std::vector<int32_t> tokens;
  for (uint64_t i = 0; i < count; ++i) {
    tokens.push_back(static_cast<int32_t>(rng.Below(i, static_cast<uint64_t>(config.vocab))));
  }
  return tokens;
}

double LogitsTolerance(const model::ModelConfig& config) {
  return 16 * Gamma(DType::kFp32, 10 * config.layers * std::max(config.hidden_dim, config.seq));
}

TEST(PaddedLength, IsAPowerOfTwoUpToTheModels) {
  EXPECT_EQ(sample::PaddedLength(1, 256), 32);
  EXPECT_EQ(sample::PaddedLength(32, 256), 32);
  EXPECT_EQ(sample::PaddedLength(33, 256), 64);
  EXPECT_EQ(sample::PaddedLength(129, 200), 200);
  EXPECT_EQ(sample::PaddedLength(6, 6), 6);
}

class ForwardOn : public ::testing::TestWithParam<const char*> {};

TEST_P(ForwardOn, EqualsTheNetworkAtEveryContextLength) {
  for (model::ModelConfig config : TinyConfigs()) {
    config.seq = 70;
    Exact exact(config);
    const auto device = OpenTestDevice(GetParam(), Precision::kFp32);
    auto forward = sample::Forward::Create(*device, config, SourceOf(*exact.network));
    ASSERT_TRUE(forward.ok()) << forward.error().message;
    const std::vector<int32_t> tokens = RandomTokens(config, 75);
    const double tolerance = LogitsTolerance(config);
    // Through all padded lengths, past the model's, and back to a short one.
    for (const size_t length : {1, 2, 31, 32, 33, 64, 65, 70, 75, 5}) {
      const auto logits = (*forward)->Logits(std::span(tokens).first(length));
      ASSERT_TRUE(logits.ok()) << logits.error().message;
      const size_t seen = std::min<size_t>(length, 70);
      const auto expected = exact.Logits(std::span(tokens).subspan(length - seen, seen));
      EXPECT_LE((NormError<float, double>(*logits, expected)), tolerance)
          << ConfigName(config) << " " << length;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ForwardOn, ::testing::Values("reference", "cpu"));

// The cached path against the one that computes everything anew.
class DecoderOn : public ::testing::TestWithParam<const char*> {
 protected:
  void Open(const model::ModelConfig& config) {
    exact_ = std::make_unique<Exact>(config);
    device_ = OpenTestDevice(GetParam(), Precision::kFp32);
    auto forward = sample::Forward::Create(*device_, config, SourceOf(*exact_->network));
    ASSERT_TRUE(forward.ok()) << forward.error().message;
    forward_ = std::move(*forward);
    auto decoder = sample::Decoder::Create(*device_, config, SourceOf(*exact_->network));
    ASSERT_TRUE(decoder.ok()) << decoder.error().message;
    decoder_ = std::move(*decoder);
  }

  // The decoder's logits after `tokens` are the twin's, whatever it has seen before.
  void ExpectEqual(std::span<const int32_t> tokens) {
    const model::ModelConfig& config = decoder_->config();
    const auto expected = forward_->Logits(tokens);
    ASSERT_TRUE(expected.ok()) << expected.error().message;
    const auto actual = decoder_->Logits(tokens);
    ASSERT_TRUE(actual.ok()) << actual.error().message;
    EXPECT_LE((NormError<float, float>(*actual, *expected)), 2 * LogitsTolerance(config))
        << ConfigName(config) << " " << tokens.size();
  }

  static model::ModelConfig Long(model::ModelConfig config) {
    config.seq = 140;  // more than two caches, of which the last is no power of two
    return config;
  }

  std::unique_ptr<Exact> exact_;
  std::unique_ptr<device::Device> device_;
  std::unique_ptr<sample::Forward> forward_;
  std::unique_ptr<sample::Decoder> decoder_;
};

TEST_P(DecoderOn, EqualsItsTwinAtEveryPositionTokenByToken) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    Open(Long(config));
    const std::vector<int32_t> tokens = RandomTokens(config, 140);
    for (size_t length = 1; length <= tokens.size(); ++length) {
      ExpectEqual(std::span(tokens).first(length));
    }
  }
}

TEST_P(DecoderOn, EqualsItsTwinInChunksOfAnySize) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    Open(Long(config));
    const std::vector<int32_t> tokens = RandomTokens(config, 140);
    // Less than a chunk, more than one, across caches, one token, a step back, all at once.
    for (const size_t length : {7, 40, 72, 73, 139, 20, 140}) {
      ExpectEqual(std::span(tokens).first(length));
    }
  }
}

TEST_P(DecoderOn, ForgetsWhatTheNewContextDoesNotShare) {
  Open(Long(TinyGqa(model::RotaryLayout::kHalfSplit)));
  std::vector<int32_t> tokens = RandomTokens(decoder_->config(), 60);
  ExpectEqual(tokens);
  ExpectEqual(tokens);
  for (const size_t changed : {59, 30, 0}) {
    tokens[changed] = (tokens[changed] + 1) % 19;
    ExpectEqual(tokens);
  }
}

TEST_P(DecoderOn, DrawsTheSameGreedyTokensAsItsTwin) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    Open(Long(config));
    std::vector<int32_t> tokens = {1, 5, 2};
    const auto most = [](std::span<const float> logits) {
      return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    };
    while (tokens.size() < 100) {
      const int32_t expected = most(*forward_->Logits(tokens));
      ASSERT_EQ(most(*decoder_->Logits(tokens)), expected) << tokens.size();
      tokens.push_back(expected);
    }
  }
}

TEST_P(DecoderOn, RefusesMoreThanTheModelCanSee) {
  Open(TinyMha());
  const auto logits = decoder_->Logits(RandomTokens(TinyMha(), 7));
  ASSERT_FALSE(logits.ok());
  EXPECT_EQ(logits.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(logits.error().message, ::testing::HasSubstr("7 tokens"));
  ExpectEqual(RandomTokens(TinyMha(), 6));
}

INSTANTIATE_TEST_SUITE_P(Devices, DecoderOn, ::testing::Values("reference", "cpu"));

TEST(CacheCapacity, IsAPowerOfTwoUpToTheModels) {
  EXPECT_EQ(sample::CacheCapacity(1, 256), 64);
  EXPECT_EQ(sample::CacheCapacity(64, 256), 64);
  EXPECT_EQ(sample::CacheCapacity(65, 256), 128);
  EXPECT_EQ(sample::CacheCapacity(129, 200), 200);
  EXPECT_EQ(sample::CacheCapacity(6, 6), 6);
}

}  // namespace
}  // namespace millwright::testing
