#include "text/sentencepiece_tokenizer.h"

#include <fmt/format.h>

#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <functional>
#include <limits>
#include <random>

#include "text/open_tokenizer.h"
#include "text/test_files.h"
#include "text/test_sentencepiece.h"

namespace millwright::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Type = SentencePieceModel::Type;

std::string Complaint(const std::function<void(SmallModel&)>& change) {
  SmallModel model;
  change(model);
  const auto tokenizer = SentencePieceTokenizer::Parse(model.Serialized(), "t.model");
  return tokenizer.ok() ? "" : tokenizer.error().message;
}

SentencePieceTokenizer SmallSentencePiece() {
  auto tokenizer = SentencePieceTokenizer::Parse(SmallModel().Serialized(), "small");
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  return *std::move(tokenizer);
}

TEST(SentencePieceTokenizerTest, EncodesWithADummyPrefix) {
  const SentencePieceTokenizer tokenizer = SmallSentencePiece();
  EXPECT_THAT(tokenizer.Encode("ab"), ElementsAre(259, 263));
  EXPECT_THAT(tokenizer.Encode("ac ab"), ElementsAre(264, 262, 259, 263));
  EXPECT_THAT(tokenizer.Encode(" "), ElementsAre(259, 259));
  EXPECT_TRUE(tokenizer.Encode("").empty());
  EXPECT_EQ(tokenizer.bos(), 1);
  EXPECT_EQ(tokenizer.eos(), 2);
  EXPECT_EQ(tokenizer.vocab_size(), 265);
}

TEST(SentencePieceTokenizerTest, WithoutADummyPrefixWhereTheModelHasNone) {
  SmallModel model;
  model.normalizer = Number(3, 0) + Number(4, 0);
  const auto tokenizer = SentencePieceTokenizer::Parse(model.Serialized(), "x");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_THAT(tokenizer->Encode("ab a"), ElementsAre(263, 264));
  EXPECT_THAT(tokenizer->EncodeInOneCall("ab a"), ElementsAre(263, 264));
}

TEST(SentencePieceTokenizerTest, BytesThatAreNoCharactersBecomeU_FFFD) {
  const SentencePieceTokenizer tokenizer = SmallSentencePiece();
  const TokenId ef = 3 + 0xEF, bf = 3 + 0xBF, bd = 3 + 0xBD;
  EXPECT_THAT(tokenizer.Encode("a\xFF\xFE"), ElementsAre(264, ef, bf, bd, ef, bf, bd));
  EXPECT_EQ(tokenizer.Decode(tokenizer.Encode("a\xFF")), "a\uFFFD");
}

TEST(SentencePieceTokenizerTest, DecodesToText) {
  const SentencePieceTokenizer tokenizer = SmallSentencePiece();
  for (const char* text : {"ab c", "  a", "caf\u00E9\n", "\U0001F600 b"}) {
    EXPECT_EQ(tokenizer.Decode(tokenizer.Encode(text)), text);
  }
  const std::array<TokenId, 6> ids = {1, 264, 2, 1, 264, 0};
  EXPECT_EQ(tokenizer.Decode(ids), "aa \u2047 ");
  const std::array<TokenId, 3> outside = {-1, 260, 9999};
  EXPECT_EQ(tokenizer.Decode(outside), "a");
}

// Unigram models go through the library a whole text at a time.
TEST(SentencePieceTokenizerTest, OtherModelsAreTheLibrarysOwn) {
  SmallModel model;
  model.trainer = Number(3, 1);
  model.normalizer = Number(3, 1) + Number(4, 1);
  std::erase_if(model.pieces, [](const auto& piece) { return std::get<2>(piece) == Type::kByte; });
  const auto tokenizer = SentencePieceTokenizer::Parse(model.Serialized(), "x");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->Encode("  a   b "), tokenizer->EncodeInOneCall("a b"));
  EXPECT_FALSE(tokenizer->Encode("a").empty());
}

TEST(SentencePieceTokenizerTest, SavedIsByteForByteTheSame) {
  const TemporaryFolder folder;
  ASSERT_TRUE(SmallSentencePiece().Save(folder.path()).ok());
  EXPECT_EQ(ReadWholeFile(folder.File("tokenizer.model")), SmallModel().Serialized());
  const auto opened = OpenTokenizer(folder.path());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ((*opened)->kind(), "SentencePiece");
}

// As in Llama's folders, whose tokenizer.json is not a byte-level BPE.
TEST(SentencePieceTokenizerTest, ComesBeforeATokenizerJsonInAFolder) {
  const TemporaryFolder folder;
  folder.Write("tokenizer.model", SmallModel().Serialized());
  folder.Write("tokenizer.json", R"({"model": {"type": "BPE", "byte_fallback": true}})");
  const auto opened = OpenTokenizer(folder.path());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ((*opened)->kind(), "SentencePiece");
}

TEST(SentencePieceTokenizerTest, NamesWhatIsWrongInAModel) {
  EXPECT_EQ(Complaint([](SmallModel&) {}), "");
  EXPECT_THAT(Complaint([](SmallModel& m) { m.pieces.emplace_back("ab", 0, Type::kNormal); }),
              HasSubstr("pieces 263 and 265 are both \"ab\""));
  EXPECT_THAT(Complaint([](SmallModel& m) { m.pieces.emplace_back("", 0, Type::kNormal); }),
              HasSubstr("piece 265: is empty"));
  EXPECT_THAT(Complaint([](SmallModel& m) {
                m.pieces.emplace_back("x", std::numeric_limits<float>::quiet_NaN(), Type::kNormal);
              }),
              HasSubstr("piece 265: its score is not finite"));
  EXPECT_THAT(Complaint([](SmallModel& m) { m.pieces.emplace_back("x", 0, static_cast<Type>(7)); }),
              HasSubstr("piece 265: expected a type from 1 to 6, found 7"));
  EXPECT_THAT(Complaint([](SmallModel& m) { m.pieces.erase(m.pieces.begin()); }),
              HasSubstr("expected one unknown piece, found 0"));
  EXPECT_THAT(Complaint([](SmallModel& m) { m.pieces.erase(m.pieces.begin() + 68); }),
              HasSubstr("expected 256 byte pieces, found 255"));
  EXPECT_THAT(Complaint([](SmallModel& m) { std::get<0>(m.pieces[68]) = "<0x4>"; }),
              HasSubstr("piece 68: expected the name of a byte, found \"<0x4>\""));
  EXPECT_THAT(Complaint([](SmallModel& m) { m.trainer = Number(3, 9); }),
              HasSubstr("model_type: expected 1 to 4, found 9"));
  EXPECT_THAT(Complaint([](SmallModel& m) { m.normalizer += Bytes(2, "xyz"); }),
              HasSubstr("precompiled_charsmap: expected none"));
  EXPECT_THAT(Complaint([](SmallModel& m) { m.pieces.clear(); }), HasSubstr("there are no pieces"));
}

TEST(SentencePieceTokenizerTest, CutAndBrokenFilesAreRefusedOrRead) {
  const std::string good = SmallModel().Serialized();
  EXPECT_FALSE(SentencePieceTokenizer::Parse("", "x").ok());
  const auto cut = SentencePieceTokenizer::Parse(good.substr(0, 1000), "cut.model");
  ASSERT_FALSE(cut.ok());
  EXPECT_THAT(cut.error().message, HasSubstr("cut.model: model: truncated"));
  std::mt19937 random(37);
  for (int round = 0; round < 500; ++round) {
    std::string bad = good;
    if (round % 2 == 0) bad.resize(random() % good.size());
    for (int i = 0; i < 3 && !bad.empty(); ++i) {
      bad[random() % bad.size()] = static_cast<char>(random() % 256);
    }
    const auto tokenizer = SentencePieceTokenizer::Parse(bad, "x");
    if (tokenizer.ok()) (void)tokenizer->Decode(tokenizer->Encode("ab c \xFF"));
  }
}

TEST(SentencePieceTokenizerTest, RealModel) {
  const std::string path = SharedFile("data/llama2/tokenizer.model");
  if (path.empty()) GTEST_SKIP() << "no shared data: data/llama2/tokenizer.model";
  const auto tokenizer = SentencePieceTokenizer::Open(path);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->vocab_size(), 32000);
  EXPECT_THAT(tokenizer->Encode("Once upon a time"), ElementsAre(9038, 2501, 263, 931));
  const std::string text = ReadWholeFile(SharedFile("data/tinyshakespeare/input.txt"));
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text);
}

}  // namespace
}  // namespace millwright::text
