#include "data/tokenize.h"

#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <random>

#include "base/test_temporary_files.h"
#include "data/token_file.h"
#include "text/byte_bpe.h"
#include "text/byte_bpe_train.h"
#include "text/open_tokenizer.h"
#include "text/test_files.h"

namespace millwright::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Ids: <|endoftext|> 0, byte b at 1 + b.
text::ByteBpe Bytes() {
  constexpr std::array<std::string_view, 1> kSpecial = {text::kEndOfText};
  auto bpe = text::TrainByteBpe("", 257, kSpecial);
  EXPECT_TRUE(bpe.ok());
  return *std::move(bpe);
}

std::vector<int32_t> IdsOf(const std::string& shard) {
  const auto file = OpenTokenFile(shard);
  EXPECT_TRUE(file.ok()) << file.error().message;
  std::vector<int32_t> ids(static_cast<size_t>((*file)->size()));
  (*file)->Copy(0, ids);
  return ids;
}

class TokenizeTest : public testing::Test {
 protected:
  std::vector<int32_t> Ids(std::string_view text, const TokenizeOptions& options) {
    const auto report =
        TokenizeFile(Bytes(), folder_.Write("in", text), folder_.File("out.bin"), options);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? IdsOf(folder_.File("out.bin")) : std::vector<int32_t>();
  }

  // What it says, after which only the input is there.
  std::string Complaint(std::string_view text, const TokenizeOptions& options) {
    const auto report =
        TokenizeFile(Bytes(), folder_.Write("in", text), folder_.File("refused.bin"), options);
    EXPECT_FALSE(std::filesystem::exists(folder_.File("refused.bin")));
    EXPECT_FALSE(HoldsTemporaryFiles(folder_.path()));
    EXPECT_FALSE(std::filesystem::exists(folder_.File("refused.bin.json")));
    if (report.ok()) return "";
    EXPECT_EQ(report.error().kind, ErrorKind::kBadInput);
    return report.error().message;
  }

  TemporaryFolder folder_;
};

TEST_F(TokenizeTest, AFileIsOneTextUnlessItIsSplit) {
  EXPECT_THAT(Ids("a|b\n", {}), ElementsAre(98, 125, 99, 11));
  EXPECT_THAT(Ids("a|b|", {.bos = true, .split = "|"}), ElementsAre(0, 98, 0, 99));
  EXPECT_THAT(Ids("a|b", {.eos = true, .split = "|"}), ElementsAre(98, 0, 99, 0));
  EXPECT_THAT(Ids("a", {.bos = true, .eos = true}), ElementsAre(0, 98, 0));
}

TEST_F(TokenizeTest, SpecialTokensInTheTextAreRecognisedUnlessPlain) {
  EXPECT_THAT(Ids("<|endoftext|>", {}), ElementsAre(0));
  EXPECT_EQ(Ids("<|endoftext|>", {.special = text::SpecialText::kPlain}).size(), 13u);
}

TEST_F(TokenizeTest, JsonLines) {
  EXPECT_THAT(Ids("{\"t\":\"a\"}\r\n\n{\"t\":\"\",\"u\":1}\n{\"t\":\"\\n\\u00e9\"}",
                  {.bos = true, .text_field = "t"}),
              ElementsAre(0, 98, 0, 11, 1 + 0xC3, 1 + 0xA9));
  const TokenizeOptions options = {.text_field = "t"};
  EXPECT_THAT(Complaint("{\"t\":\"a\"}\n\nx\n", options), HasSubstr("line 3: not valid JSON"));
  EXPECT_THAT(Complaint("[]\n", options), HasSubstr("line 1: expected an object, found array"));
  EXPECT_THAT(Complaint("{}\n", options), HasSubstr("line 1: there is no field \"t\""));
  EXPECT_THAT(Complaint("{\"t\":5}", options), HasSubstr("\"t\": expected text, found number"));
}

TEST_F(TokenizeTest, NamesWhatIsWrongAndLeavesNothing) {
  EXPECT_THAT(Complaint("", {}), HasSubstr("in: holds no text"));
  EXPECT_THAT(Complaint("||", {.split = "|"}), HasSubstr("holds no text"));
  text::ByteBpeModel model = Bytes().model();
  model.bos = model.eos = std::nullopt;
  const auto endless = text::ByteBpe::Create(std::move(model));
  ASSERT_TRUE(endless.ok());
  const auto complaint = [&](const std::string& in, const std::string& out, bool bos) {
    const auto report = TokenizeFile(*endless, in, out, {.bos = bos, .eos = !bos});
    return report.ok() ? "" : report.error().message;
  };
  const std::string in = folder_.File("in"), out = folder_.File("out.bin");
  EXPECT_EQ(complaint(in, out, true), "the tokenizer has no BOS");
  EXPECT_EQ(complaint(in, out, false), "the tokenizer has no EOS");
  const auto report = TokenizeFile(Bytes(), folder_.File("none"), out, {});
  EXPECT_THAT(report.error().message, HasSubstr("none: no such file"));
  const auto folder = TokenizeFile(Bytes(), folder_.path(), out, {});
  EXPECT_THAT(folder.error().message, HasSubstr("is a folder"));
  folder_.Write("in", "a");
  const auto nowhere = TokenizeFile(Bytes(), in, folder_.File("no/such/out.bin"), {});
  EXPECT_THAT(nowhere.error().message, HasSubstr("no/such/out.bin: cannot be created"));
  EXPECT_EQ(nowhere.error().kind, ErrorKind::kBadInput);
}

TEST_F(TokenizeTest, TheSidecarNamesWidthAndTokenizer) {
  EXPECT_FALSE(Ids("abc", {.tokenizer_name = "/some/tokenizer.json"}).empty());
  const auto info = ReadShardInfo(folder_.File("out.bin"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->bytes_per_token, 2);
  EXPECT_EQ(info->tokenizer, "/some/tokenizer.json");
  EXPECT_EQ(info->tokens, 3);
  EXPECT_EQ(info->vocab, 257);
}

// Larger than any block on the way.
TEST_F(TokenizeTest, DecodingReverses) {
  std::mt19937 random(5);
  std::string text;
  while (text.size() < 3'000'000) {
    for (size_t i = 1 + random() % 2000; i > 0; --i) text += static_cast<char>(random() % 256);
    text += "<sep>";
  }
  const std::string in = folder_.Write("in", text), shard = folder_.File("a.bin");
  const auto report = TokenizeFile(Bytes(), in, shard, {.bos = true, .split = "<sep>"});
  ASSERT_TRUE(report.ok()) << report.error().message;
  int calls = 0;
  const auto back = DetokenizeFile(Bytes(), shard, folder_.File("back"), "<sep>",
                                   [&](int64_t done, int64_t total) {
                                     ++calls;
                                     EXPECT_LE(done, total);
                                   });
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(ReadWholeFile(folder_.File("back")), text);
  EXPECT_EQ(back->documents, report->documents);
  EXPECT_EQ(back->tokens, report->tokens);
  EXPECT_GT(calls, 10);
}

TEST_F(TokenizeTest, ShardsOfAnotherTokenizerAreRefused) {
  ASSERT_TRUE(WriteShard(folder_.File("a.bin"), std::vector<int32_t>{1, 300}, {.vocab = 400}).ok());
  const auto report = DetokenizeFile(Bytes(), folder_.File("a.bin"), folder_.File("back"), "");
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, HasSubstr("token 300 at offset 1"));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("back")));
}

struct RealShard {
  const char* name;
  const char* tokenizer;
  const char* shard;
};

class RealShardTest : public testing::TestWithParam<RealShard> {};

TEST_P(RealShardTest, IsMadeByteForByteAndReversed) {
  const std::string tokenizer_path = SharedFile(GetParam().tokenizer);
  const std::string text = SharedFile("data/tinystories/valid.txt");
  const std::string shard = SharedFile(GetParam().shard);
  if (tokenizer_path.empty() || text.empty() || shard.empty()) GTEST_SKIP() << "no shared data";
  const TemporaryFolder folder;
  const auto tokenizer = text::OpenTokenizer(tokenizer_path);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const std::string split = "\n<|endoftext|>\n";
  const auto report =
      TokenizeFile(**tokenizer, text, folder.File("a.bin"), {.bos = true, .split = split});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->documents, 3117);
  EXPECT_TRUE(ReadWholeFile(folder.File("a.bin")) == ReadWholeFile(shard));
  const auto back = DetokenizeFile(**tokenizer, shard, folder.File("back.txt"), split);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_TRUE(ReadWholeFile(folder.File("back.txt")) == ReadWholeFile(text));
}

INSTANTIATE_TEST_SUITE_P(All, RealShardTest,
                         testing::Values(RealShard{"llama2_model", "data/llama2/tokenizer.model",
                                                   "data/tinystories/valid.llama32k.bin"},
                                         RealShard{"llama2_bin", "data/llama2/tokenizer.bin",
                                                   "data/tinystories/valid.llama32k.bin"},
                                         RealShard{"stories260K", "data/stories260K/tok512.bin",
                                                   "data/tinystories/valid.tok512.bin"}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace millwright::data
