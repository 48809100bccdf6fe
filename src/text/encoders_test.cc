// What holds for every tokenizer: an encoder gives the ids of one plain call, however a text is
// divided; texts come back.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <thread>

#include "text/byte_bpe.h"
#include "text/byte_bpe_train.h"
#include "text/llama2c_tokenizer.h"
#include "text/open_tokenizer.h"
#include "text/sentencepiece_tokenizer.h"
#include "text/test_files.h"
#include "text/test_texts.h"

namespace millwright::text {
namespace {

// The ids of `text` in parts of random sizes.
std::vector<TokenId> InParts(Encoder& encoder, std::string_view text, std::mt19937& random,
                             size_t most) {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, 1 + random() % most);
    EXPECT_TRUE(encoder.Add(part, ids).ok());
    text.remove_prefix(part.size());
  }
  EXPECT_TRUE(encoder.Finish(ids).ok());
  return ids;
}

std::vector<std::string> Texts() {
  std::vector<std::string> texts = OddTexts();
  std::mt19937 random(43);
  for (int i = 0; i < 200; ++i) {
    texts.push_back(RandomUnicode(random, random() % 100));
    texts.push_back(RandomAscii(random, random() % 200));
    texts.push_back(RandomBytes(random, random() % 100));
    texts.push_back(RandomAscii(random, 20) + RandomBytes(random, 3) + RandomUnicode(random, 20));
  }
  const std::string story = SharedFile("data/tinystories/valid.txt");
  if (!story.empty()) texts.push_back(ReadWholeFile(story).substr(0, 50'000));
  return texts;
}

// `plain`: one call for a whole text. One encoder takes all texts, so that its memory of words is
// at work, too.
template <class Plain>
void ExpectPartsEqual(const Tokenizer& tokenizer, const Plain& plain) {
  const auto encoder = tokenizer.NewEncoder();
  std::mt19937 random(47);
  for (const std::string& text : Texts()) {
    const std::vector<TokenId> expected = plain(text);
    for (size_t most : {size_t{1}, size_t{7}, size_t{1} << 20}) {
      if (most < text.size() / 1000) continue;
      ASSERT_EQ(InParts(*encoder, text, random, most), expected) << ::testing::PrintToString(text);
    }
  }
}

template <class T>
std::optional<T> OpenShared(const char* name) {
  const std::string path = SharedFile(name);
  if (path.empty()) return std::nullopt;
  auto tokenizer = T::Open(path);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  return *std::move(tokenizer);
}

TEST(EncodersTest, SentencePieceWordByWordEqualsOneCall) {
  const auto tokenizer = OpenShared<SentencePieceTokenizer>("data/llama2/tokenizer.model");
  if (!tokenizer) GTEST_SKIP() << "no shared data: data/llama2/tokenizer.model";
  ExpectPartsEqual(*tokenizer,
                   [&](const std::string& text) { return tokenizer->EncodeInOneCall(text); });
}

TEST(EncodersTest, Llama2cWordByWordEqualsOneCall) {
  for (const char* name : {"data/llama2/tokenizer.bin", "data/stories260K/tok512.bin"}) {
    const auto tokenizer = OpenShared<Llama2cTokenizer>(name);
    if (!tokenizer) GTEST_SKIP() << "no shared data: " << name;
    ExpectPartsEqual(*tokenizer, [&](const std::string& text) { return tokenizer->Encode(text); });
  }
}

TEST(EncodersTest, ByteBpeInPartsEqualsOneCall) {
  constexpr std::array<std::string_view, 2> kTwoMarks = {kEndOfText, "<|im_start|>"};
  std::string text;
  for (const std::string& odd : OddTexts()) text += odd;
  const auto trained = TrainByteBpe(text, 400, kTwoMarks);
  ASSERT_TRUE(trained.ok());
  for (std::string_view pattern : {kGpt2Pattern, kQwenPattern, kLlama3Pattern}) {
    ByteBpeModel model = trained->model();
    model.pattern = pattern;
    model.nfc = pattern == kQwenPattern;
    const auto tokenizer = ByteBpe::Create(std::move(model));
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    ExpectPartsEqual(*tokenizer, [&](const std::string& t) { return tokenizer->Encode(t); });
    for (const std::string& t : Texts()) {
      if (tokenizer->model().nfc) continue;
      ASSERT_EQ(tokenizer->Decode(tokenizer->Encode(t)), t);
      ASSERT_EQ(tokenizer->Decode(tokenizer->EncodePlain(t)), t);
    }
  }
}

TEST(EncodersTest, OneTokenizerServesSeveralThreads) {
  const std::string path = SharedFile("data/llama2/tokenizer.model");
  if (path.empty()) GTEST_SKIP() << "no shared data: data/llama2/tokenizer.model";
  const auto tokenizer = OpenTokenizer(path);
  ASSERT_TRUE(tokenizer.ok());
  const std::vector<std::string> texts = Texts();
  std::vector<std::vector<TokenId>> results(4);
  std::vector<std::thread> threads;
  threads.reserve(results.size());
  for (auto& ids : results) {
    threads.emplace_back([&] {
      const auto encoder = (*tokenizer)->NewEncoder();
      for (const std::string& text : texts) {
        if (!encoder->Add(text, ids).ok() || !encoder->Finish(ids).ok()) ids.clear();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(results[0].empty());
  for (const auto& ids : results) EXPECT_EQ(ids, results[0]);
}

}  // namespace
}  // namespace millwright::text
