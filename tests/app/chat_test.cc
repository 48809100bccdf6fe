// Conversations: the format, and what the model is shown of earlier turns.
#include <gmock/gmock.h>

#include "sample/chat.h"
#include "text/byte_bpe.h"

namespace millwright::testing {
namespace {

using sample::Message;

constexpr int32_t kImEnd = 257, kThink = 258;

// Bytes, and the special tokens of Qwen3.
text::ByteBpe Qwen3Bytes(bool with_end = true) {
  text::ByteBpeModel model;
  for (int byte = 0; byte < 256; ++byte) model.tokens.emplace_back(1, static_cast<char>(byte));
  for (const char* name : {"<|im_start|>", "<|im_end|>", "<think>", "</think>", "<|endoftext|>"}) {
    if (!with_end && std::string(name) == "<|im_end|>") continue;
    model.special.push_back(static_cast<int32_t>(model.tokens.size()));
    model.tokens.emplace_back(name);
  }
  auto tokenizer = text::ByteBpe::Create(std::move(model));
  EXPECT_TRUE(tokenizer.ok()) << (tokenizer.ok() ? "" : tokenizer.error().message);
  return std::move(*tokenizer);
}

// Says what it was told to say, and remembers what it was shown.
class Script : public sample::Predictor {
 public:
  explicit Script(std::vector<int32_t> lines) : lines_(std::move(lines)) {
    config_.vocab = 300;
    config_.seq = 400;
  }
  const model::ModelConfig& config() const override { return config_; }
  Result<std::span<const float>> Logits(std::span<const int32_t> tokens) override {
    shown.assign(tokens.begin(), tokens.end());
    logits_.assign(300, 0.0f);
    logits_[static_cast<size_t>(lines_.at(next_++))] = 1.0f;
    return std::span<const float>(logits_);
  }
  std::vector<int32_t> shown;

 private:
  model::ModelConfig config_;
  std::vector<int32_t> lines_;
  size_t next_ = 0;
  std::vector<float> logits_;
};

std::vector<int32_t> Ids(std::string_view text) { return Qwen3Bytes().Encode(text); }

std::vector<int32_t> Answers(std::initializer_list<std::string_view> answers) {
  std::vector<int32_t> ids;
  for (const std::string_view answer : answers) {
    for (const int32_t id : Ids(answer)) ids.push_back(id);
    ids.push_back(kImEnd);
  }
  return ids;
}

const sample::GenerateOptions kGreedy = {.tokens = 50, .sampling = {.temperature = 0}};

// A conversation in which each turn is checked: what the model was shown, without the answer that
// it was about to give, and what was written.
struct Talk {
  Script script;
  text::ByteBpe tokenizer = Qwen3Bytes();
  sample::Chat chat;

  Talk(std::vector<int32_t> lines, const sample::ChatOptions& options)
      : script(std::move(lines)),
        chat(*sample::Chat::Create(script, tokenizer, options, kGreedy)) {}

  void Turn(const std::string& text, const std::string& context, const std::string& answer) {
    std::string written;
    const auto generated = chat.Say(text, [&](std::string_view part) -> Status {
      written += part;
      return {};
    });
    ASSERT_TRUE(generated.ok()) << generated.error().message;
    EXPECT_EQ(tokenizer.Decode(generated->context), context);
    EXPECT_EQ(generated->context, Ids(context));
    EXPECT_EQ(written, answer);
    EXPECT_EQ(generated->end, sample::TextEnd::kStop);
  }
};

TEST(RenderChat, IsQwen3sFormat) {
  EXPECT_EQ(sample::RenderChat({{Message::Role::kUser, "Hi"}}, true),
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(sample::RenderChat({{Message::Role::kSystem, "Be brief."}, {Message::Role::kUser, ""}},
                               false),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n<|im_end|>\n"
            "<|im_start|>assistant\n<think>\n\n</think>\n\n");
}

TEST(RenderChat, LeavesOutWhatWasThoughtInEarlierTurns) {
  for (const auto& [answer, spoken] :
       std::vector<std::pair<std::string, std::string>>{{"plain\n", "plain\n"},
                                                        {"<think>\nHm.\n</think>\n\nYes.", "Yes."},
                                                        {"<think>a</think>b</think>c", "c"},
                                                        {"<think>never ends", "<think>never ends"},
                                                        {"<think>\n</think>", ""}}) {
    EXPECT_EQ(sample::RenderChat({{Message::Role::kUser, "a"},
                                  {Message::Role::kAssistant, answer},
                                  {Message::Role::kUser, "b"}},
                                 true),
              "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n" + spoken +
                  "<|im_end|>\n<|im_start|>user\nb<|im_end|>\n<|im_start|>assistant\n");
  }
}

TEST(Chat, ShowsTheModelAllTurnsAndWritesOnlyAnswers) {
  Talk talk(Answers({"Hello.", "<think>\nHm.\n</think>\n\nYes.", "Bye \u00E9"}),
            {.system = "Sys", .think = true});
  const std::string system = "<|im_start|>system\nSys<|im_end|>\n";
  std::string so_far = system + "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
  talk.Turn("Hi", so_far, "Hello.");
  so_far += "Hello.<|im_end|>\n<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\n";
  talk.Turn("Sure?", so_far, "<think>\nHm.\n</think>\n\nYes.");
  EXPECT_EQ(std::count(talk.script.shown.begin(), talk.script.shown.end(), kThink), 1);
  so_far += "Yes.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n";
  talk.Turn("Bye", so_far, "Bye \u00E9");
}

TEST(Chat, WithoutThinkingOnlyTheCurrentTurnBeginsWithAnEmptyThought) {
  Talk talk(Answers({"A", "B"}), {.think = false});
  talk.Turn("1", "<|im_start|>user\n1<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
            "A");
  talk.Turn("2",
            "<|im_start|>user\n1<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n"
            "<|im_start|>user\n2<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
            "B");
}

TEST(Chat, RefusesATokenizerWithoutTheTokens) {
  Script script({});
  const text::ByteBpe tokenizer = Qwen3Bytes(false);
  const auto chat = sample::Chat::Create(script, tokenizer, {}, kGreedy);
  ASSERT_FALSE(chat.ok());
  EXPECT_EQ(chat.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(chat.error().message, ::testing::HasSubstr("<|im_end|>"));
}

TEST(Chat, EndsWhereTheConversationIsLongerThanTheModelsContext) {
  Talk talk(Answers({"A"}), {});
  const auto sink = [](std::string_view) -> Status { return {}; };
  ASSERT_TRUE(talk.chat.Say("short", sink).ok());
  const auto generated = talk.chat.Say(std::string(400, 'x'), sink);
  ASSERT_FALSE(generated.ok());
  EXPECT_EQ(generated.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(generated.error().message, ::testing::HasSubstr("400"));
}

}  // namespace
}  // namespace millwright::testing
