// vocab.json and merges.txt: what they mean, and what is refused.
#include <gmock/gmock.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "text/byte_alphabet.h"
#include "text/byte_bpe.h"
#include "text/open_tokenizer.h"
#include "text/test_files.h"

namespace millwright::text {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The 256 bytes, "ab" and "abc" as 256 and 257, <|endoftext|> as 258.
struct Files {
  json vocab = json::object();
  std::string merges = "#version: 0.2\na b\nab c\n";
  json added = {{"<|endoftext|>", 258}};
  json tokenizer_config;

  Files() {
    for (int byte = 0; byte < 256; ++byte) {
      vocab[ToByteAlphabet(std::string(1, static_cast<char>(byte)))] = byte;
    }
    vocab["ab"] = 256;
    vocab["abc"] = 257;
  }

  Result<ByteBpe> Open() const {
    const TemporaryFolder folder;
    folder.Write("vocab.json", vocab.dump());
    folder.Write("merges.txt", merges);
    if (!added.is_null()) folder.Write("added_tokens.json", added.dump());
    if (!tokenizer_config.is_null()) {
      folder.Write("tokenizer_config.json", tokenizer_config.dump());
    }
    return ByteBpe::OpenFolder(folder.path());
  }
};

std::string RefusalOfFiles(const std::function<void(Files&)>& change) {
  Files files;
  change(files);
  const auto bpe = files.Open();
  return bpe.ok() ? "" : bpe.error().message;
}

TEST(ByteBpeFolderTest, IsQwensUnlessItSaysOtherwise) {
  const auto bpe = Files().Open();
  ASSERT_TRUE(bpe.ok()) << bpe.error().message;
  EXPECT_EQ(bpe->model().pattern, kQwenPattern);
  EXPECT_TRUE(bpe->model().nfc);
  EXPECT_EQ(bpe->bos(), std::nullopt);
  EXPECT_EQ(bpe->eos(), 258);
  EXPECT_EQ(bpe->vocab_size(), 259);
  EXPECT_THAT(bpe->Encode("abcab<|endoftext|>c"), ElementsAre(257, 256, 258, 'c'));
}

TEST(ByteBpeFolderTest, IsGpt2sWhereItsTokensOrItsClassAre) {
  Files files;
  files.added = json();
  files.vocab["<|endoftext|>"] = 258;
  auto bpe = files.Open();
  ASSERT_TRUE(bpe.ok()) << bpe.error().message;
  EXPECT_EQ(bpe->model().pattern, kGpt2Pattern);
  EXPECT_FALSE(bpe->model().nfc);
  EXPECT_EQ(bpe->bos(), 258);
  EXPECT_THAT(bpe->Encode("<|endoftext|>"), ElementsAre(258));
  files = Files();
  files.tokenizer_config = {{"tokenizer_class", "GPT2Tokenizer"}};
  bpe = files.Open();
  ASSERT_TRUE(bpe.ok()) << bpe.error().message;
  EXPECT_EQ(bpe->model().pattern, kGpt2Pattern);
}

TEST(ByteBpeFolderTest, TakesEndsAndTokensFromTheConfig) {
  Files files;
  files.tokenizer_config = {
      {"tokenizer_class", "Qwen2Tokenizer"},
      {"bos_token", nullptr},
      {"eos_token", {{"content", "<|im_end|>"}}},
      {"added_tokens_decoder",
       {{"258", {{"content", "<|endoftext|>"}}}, {"259", {{"content", "<|im_end|>"}}}}}};
  const auto bpe = files.Open();
  ASSERT_TRUE(bpe.ok()) << bpe.error().message;
  EXPECT_EQ(bpe->eos(), 259);
  EXPECT_THAT(bpe->Encode("<|im_end|>"), ElementsAre(259));
}

TEST(ByteBpeFolderTest, NamesWhatIsWrongWithTheVocabulary) {
  EXPECT_EQ(RefusalOfFiles([](Files&) {}), "");
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.vocab = json::array(); }),
              HasSubstr("vocab.json: expected an object, found array"));
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.vocab.erase("a"); }),
              HasSubstr("expected an id in [0, 258)"));
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.vocab["abc"] = 256; }), HasSubstr("id 256 is taken"));
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.vocab["abc"] = -1; }), HasSubstr("found -1"));
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.vocab["abc"] = 1e300; }),
              HasSubstr("expected an id"));
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.vocab["abc"] = "x"; }), HasSubstr("expected an id"));
  EXPECT_THAT(RefusalOfFiles([](Files& f) {
                f.vocab.erase("z");
                f.vocab["\u00E9\u00E9"] = 122;
              }),
              HasSubstr("no token for byte 0x7a"));
}

TEST(ByteBpeFolderTest, NamesWhatIsWrongWithMerges) {
  const auto with = [](const char* merges) {
    return RefusalOfFiles([&](Files& f) { f.merges = merges; });
  };
  EXPECT_EQ(with(""), "");
  EXPECT_EQ(with("a b\r\nab c\r\n"), "");
  EXPECT_THAT(with("#version: 0.2\nab\n"), HasSubstr("merges.txt: line 2: expected two tokens"));
  EXPECT_THAT(with("a b c\n"), HasSubstr("line 1: expected two tokens, found \"a b c\""));
  EXPECT_THAT(with("a b\na zz\n"), HasSubstr("merges.txt[1]: \"zz\" is not in vocab.json"));
  EXPECT_THAT(with("b c\n"), HasSubstr("makes \"bc\", which is not a token"));
  EXPECT_THAT(with("a b\na b\n"), HasSubstr("listed twice"));
}

TEST(ByteBpeFolderTest, NamesWhatIsWrongWithAddedTokens) {
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.added["<|x|>"] = 258; }),
              HasSubstr("id 258 is taken"));
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.added["<|x|>"] = 300; }), HasSubstr("found 300"));
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.added["ab"] = 9; }), HasSubstr("id 9 here, 256"));
  EXPECT_THAT(RefusalOfFiles([](Files& f) { f.added = json::array(); }),
              HasSubstr("expected an object"));
  const auto config = [](const json& value) {
    return RefusalOfFiles([&](Files& f) { f.tokenizer_config = value; });
  };
  EXPECT_THAT(config({{"tokenizer_class", "LlamaTokenizer"}}),
              HasSubstr("found \"LlamaTokenizer\""));
  EXPECT_THAT(config({{"eos_token", "<|y|>"}}), HasSubstr("\"<|y|>\" is not a special token"));
  EXPECT_THAT(config({{"eos_token", 7}}), HasSubstr("eos_token: expected text, found 7"));
  const auto decoder = [&](const json& value) { return config({{"added_tokens_decoder", value}}); };
  EXPECT_THAT(decoder(5), HasSubstr("expected an object, found number"));
  EXPECT_THAT(decoder({{"x", {{"content", "<|y|>"}}}}), HasSubstr("[x]: expected an id"));
  EXPECT_THAT(decoder({{"259", {{"text", "<|y|>"}}}}), HasSubstr("content: expected text"));
  EXPECT_THAT(decoder({{"259", {{"content", "<|endoftext|>"}}}}),
              HasSubstr("has id 258 elsewhere"));
  EXPECT_THAT(decoder({{"259", {{"content", "<|y|>"}, {"normalized", true}}}}),
              HasSubstr("normalized: expected false"));
}

TEST(ByteBpeFolderTest, RealQwen) {
  const std::string path = SharedFile("data/qwen");
  if (path.empty()) GTEST_SKIP() << "no shared data: data/qwen";
  const auto tokenizer = OpenTokenizer(path);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->vocab_size(), 151669);
  EXPECT_EQ((*tokenizer)->bos(), std::nullopt);
  EXPECT_EQ((*tokenizer)->eos(), 151643);
  EXPECT_THAT((*tokenizer)->Encode("Hello, world!"), ElementsAre(9707, 11, 1879, 0));
  const TemporaryFolder folder;
  ASSERT_TRUE((*tokenizer)->Save(folder.path()).ok());
  const auto saved = OpenTokenizer(folder.path());
  ASSERT_TRUE(saved.ok()) << saved.error().message;
  const std::string text = ReadWholeFile(SharedFile("data/tinyshakespeare/input.txt"));
  const auto ids = (*tokenizer)->Encode(text);
  EXPECT_EQ((*saved)->Encode(text), ids);
  EXPECT_EQ((*tokenizer)->Decode(ids), text);
}

}  // namespace
}  // namespace millwright::text
