// The generator's rules: what begins and ends a text, and which tokens may be drawn.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sample/decoder.h"
#include "sample/generator.h"
#include "tests/app/network_weights.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

// Pieces of all kinds: whole characters, parts of one, a special token.
class FakeTokenizer : public text::Tokenizer {
 public:
  explicit FakeTokenizer(int64_t size) : size_(size) {}

  std::optional<int32_t> bos_id = 0, eos_id;

  std::vector<int32_t> Encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    for (const char c : text) ids.push_back(c - 'a');
    return ids;
  }
  std::vector<int32_t> EncodePlain(std::string_view text) const override { return Encode(text); }
  std::string Decode(std::span<const int32_t> ids) const override {
    std::string text;
    for (const int32_t id : ids) text += Piece(id);
    return text.starts_with(' ') ? text.substr(1) : text;
  }
  std::string_view Piece(int32_t id) const override {
    static constexpr std::string_view kPieces[] = {" a", " b", "\xC3", "\xA9", " \xF0\x9F", "\x98"};
    return kPieces[static_cast<size_t>(id) % std::size(kPieces)];
  }
  int64_t vocab_size() const override { return size_; }
  std::optional<int32_t> bos() const override { return bos_id; }
  std::optional<int32_t> eos() const override { return eos_id; }
  std::string_view kind() const override { return "fake"; }
  Status Save(const std::string&) const override { return {}; }

 private:
  int64_t size_;
};

class Generation : public ::testing::Test {
 protected:
  void SetUp() override {
    device_ = OpenTestDevice("reference", Precision::kFp32);
    model::ModelConfig config = TinyMha();
    config.seq = 120;
    auto network = train::Network<float>::Create(
        *device_, {.config = config, .moments = train::Moments::kNone}, FullVocab(config));
    ASSERT_TRUE(network.ok()) << network.error().message;
    FillForGradients((*network)->parameters(), 4);
    auto decoder = sample::Decoder::Create(*device_, config, SourceOf(**network));
    ASSERT_TRUE(decoder.ok()) << decoder.error().message;
    decoder_ = std::move(*decoder);
  }

  Result<sample::Generated> Run(const FakeTokenizer& tokenizer,
                                const sample::GenerateOptions& options) {
    text_.clear();
    return sample::Generate(*decoder_, tokenizer, options, [this](std::string_view part) -> Status {
      EXPECT_TRUE(nlohmann::json::accept("\"" + std::string(part) + "\"")) << "not UTF-8";
      text_ += part;
      return {};
    });
  }

  std::unique_ptr<device::Device> device_;
  std::unique_ptr<sample::Decoder> decoder_;
  std::string text_;
};

// Draws from everything, so that any token may come.
sample::GenerateOptions Wild(int64_t tokens) {
  return {.tokens = tokens, .sampling = {.temperature = 50, .top_k = 0, .top_p = 1, .seed = 9}};
}

TEST_F(Generation, StartsWithBosAndPrompt) {
  FakeTokenizer tokenizer(23);
  tokenizer.bos_id = 22;
  sample::GenerateOptions options = {.prompt = "cab", .tokens = 0};
  auto generated = Run(tokenizer, options);
  ASSERT_TRUE(generated.ok()) << generated.error().message;
  EXPECT_EQ(generated->context, (std::vector<int32_t>{22, 2, 0, 1}));
  EXPECT_EQ(text_, "cab");
  tokenizer.bos_id.reset();
  generated = Run(tokenizer, options);
  EXPECT_EQ(generated->context, (std::vector<int32_t>{2, 0, 1}));
  options.prompt.clear();
  generated = Run(tokenizer, options);
  ASSERT_FALSE(generated.ok());
  EXPECT_EQ(generated.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(generated.error().message, ::testing::HasSubstr("--prompt"));
}

TEST_F(Generation, CountsNewTokensAndEndsWhereTheModelSeesNoMore) {
  FakeTokenizer tokenizer(23);
  tokenizer.bos_id.reset();
  sample::GenerateOptions options = Wild(40);
  options.prompt = "abc";
  auto generated = Run(tokenizer, options);
  ASSERT_TRUE(generated.ok()) << generated.error().message;
  EXPECT_EQ(generated->tokens.size(), 40u);
  EXPECT_EQ(generated->end, sample::TextEnd::kTokens);
  EXPECT_TRUE(text_.starts_with("abc"));
  options.tokens = 1000;
  generated = Run(tokenizer, options);
  ASSERT_TRUE(generated.ok()) << generated.error().message;
  // The last one follows from all the 120 that the model can see.
  EXPECT_EQ(generated->tokens.size(), 118u);
  EXPECT_EQ(generated->end, sample::TextEnd::kContext);
  options.prompt = std::string(121, 'a');
  generated = Run(tokenizer, options);
  ASSERT_FALSE(generated.ok());
  EXPECT_EQ(generated.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(generated.error().message, ::testing::HasSubstr("121 tokens"));
  EXPECT_EQ(text_, "");
}

TEST_F(Generation, TheSameSeedTellsTheSameStory) {
  FakeTokenizer tokenizer(23);
  tokenizer.bos_id.reset();
  sample::GenerateOptions options = Wild(20);
  options.prompt = "a";
  const auto first = Run(tokenizer, options)->tokens;
  EXPECT_EQ(first, Run(tokenizer, options)->tokens);
  options.sampling.seed = 10;
  EXPECT_NE(first, Run(tokenizer, options)->tokens);
}

TEST_F(Generation, StopsAtEosAndDoesNotWriteIt) {
  FakeTokenizer tokenizer(23);
  tokenizer.bos_id.reset();
  sample::GenerateOptions options = Wild(20);
  options.prompt = "a";
  const auto all = Run(tokenizer, options)->tokens;
  // The end is a token that comes first at some place behind the start.
  size_t end = 5;
  while (std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end), all[end]) > 0) {
    ++end;
  }
  const std::vector<int32_t> kept(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end));
  tokenizer.eos_id = all[end];
  auto generated = Run(tokenizer, options);
  EXPECT_EQ(generated->tokens, kept);
  EXPECT_EQ(generated->end, sample::TextEnd::kStop);
  tokenizer.eos_id.reset();
  std::vector<sample::GenerateOptions> same(3, options);
  same[0].model_tokens.eos = all[end];
  same[1].model_tokens = {.bos = std::nullopt, .eos = 99, .more_eos = {98, all[end]}};
  same[2].stop_tokens = {all[end]};
  for (const auto& stopping : same) {
    generated = Run(tokenizer, stopping);
    EXPECT_EQ(generated->tokens, kept);
    EXPECT_EQ(generated->end, sample::TextEnd::kStop);
  }
}

TEST_F(Generation, StopsBeforeATextThatTokensMakeTogether) {
  FakeTokenizer tokenizer(23);
  tokenizer.bos_id.reset();
  sample::GenerateOptions options = Wild(60);
  options.prompt = "a";
  ASSERT_TRUE(Run(tokenizer, options).ok());
  const std::string all = text_;
  std::string stop;  // made by two tokens together
  for (const char* text : {"a b", "b a", "a a", "b b"}) {
    if (all.find(text, 1) != std::string::npos) stop = text;
  }
  ASSERT_FALSE(stop.empty());
  options.stop_texts = {stop, "never"};
  const auto generated = Run(tokenizer, options);
  ASSERT_TRUE(generated.ok()) << generated.error().message;
  // The prompt is not looked at.
  EXPECT_EQ(text_, all.substr(0, all.find(stop, 1)));
  EXPECT_EQ(generated->end, sample::TextEnd::kStop);
}

TEST(AddStops, NumbersAreTokensAndTheRestIsText) {
  sample::GenerateOptions options;
  ASSERT_TRUE(sample::AddStops({"7", "the end", "7b", "-"}, 23, &options).ok());
  EXPECT_EQ(options.stop_tokens, (std::vector<int64_t>{7}));
  EXPECT_EQ(options.stop_texts, (std::vector<std::string>{"the end", "7b", "-"}));
  for (const char* wrong : {"23", "-1", "99999999999999999999", ""}) {
    const Status status = sample::AddStops({wrong}, 23, &options);
    ASSERT_FALSE(status.ok()) << wrong;
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(status.error().message, ::testing::HasSubstr("--stop"));
  }
}

TEST_F(Generation, NeverDrawsWordsThatTheTokenizerLacks) {
  FakeTokenizer tokenizer(4);
  tokenizer.bos_id.reset();
  sample::GenerateOptions options = Wild(100);
  options.prompt = "a";
  const auto generated = Run(tokenizer, options);
  ASSERT_TRUE(generated.ok()) << generated.error().message;
  EXPECT_THAT(generated->tokens, ::testing::Each(::testing::Lt(4)));
  EXPECT_THAT(generated->tokens, ::testing::Contains(3));
}

TEST_F(Generation, RefusesATokenizerOfMoreWordsThanTheModel) {
  const auto generated = Run(FakeTokenizer(24), Wild(1));
  ASSERT_FALSE(generated.ok());
  EXPECT_EQ(generated.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(generated.error().message, ::testing::HasSubstr("24"));
  EXPECT_THAT(generated.error().message, ::testing::HasSubstr("23"));
}

TEST_F(Generation, RefusesWhatIsNoContext) {
  EXPECT_FALSE(decoder_->Logits({}).ok());
  for (const int32_t token : {-1, 23}) {
    const auto logits = decoder_->Logits(std::vector<int32_t>{0, token});
    ASSERT_FALSE(logits.ok());
    EXPECT_THAT(logits.error().message, ::testing::HasSubstr(std::to_string(token)));
  }
}

}  // namespace
}  // namespace millwright::testing
