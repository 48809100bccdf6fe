#include "text/llama2c_tokenizer.h"

#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <limits>
#include <random>

#include "text/open_tokenizer.h"
#include "text/test_files.h"

namespace millwright::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string PieceBytes(float score, std::string_view piece) {
  std::string bytes(8, '\0');
  const auto length = static_cast<uint32_t>(piece.size());
  std::memcpy(bytes.data(), &score, 4);
  std::memcpy(bytes.data() + 4, &length, 4);
  return bytes.append(piece);
}

// A vocabulary of " ", "a", "b", "c", "ab", "bc", " a", "abc" from id 259 on; "bc" before "ab".
std::string SmallFile() {
  std::string bytes("\x07\0\0\0", 4);
  for (const char* control : {"<unk>", "\n<s>\n", "\n</s>\n"}) bytes += PieceBytes(0, control);
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof(name), "<0x%02X>", static_cast<unsigned>(byte));
    bytes += PieceBytes(0, name);
  }
  for (const char* piece : {" ", "a", "b", "c"}) bytes += PieceBytes(-10, piece);
  bytes += PieceBytes(-2, "ab");
  bytes += PieceBytes(-1, "bc");
  bytes += PieceBytes(-3, " a");
  bytes += PieceBytes(-4, "abc");
  return bytes;
}

Llama2cTokenizer SmallLlama2c() {
  auto tokenizer = Llama2cTokenizer::Parse(SmallFile(), "small");
  EXPECT_TRUE(tokenizer.ok());
  return *std::move(tokenizer);
}

std::string Complaint(std::string_view bytes, int64_t vocab = 0) {
  const auto tokenizer = Llama2cTokenizer::Parse(bytes, "t.bin", vocab);
  return tokenizer.ok() ? "" : tokenizer.error().message;
}

TEST(Llama2cTokenizerTest, MergesTheBestScoreFirst) {
  // " abc": bc, then " a"; not ab, whose score is lower than bc's.
  EXPECT_THAT(SmallLlama2c().Encode("abc"), ElementsAre(265, 264));
  EXPECT_THAT(SmallLlama2c().Encode("cab"), ElementsAre(259, 262, 263));
  EXPECT_TRUE(SmallLlama2c().Encode("").empty());
}

TEST(Llama2cTokenizerTest, FallsBackToBytes) {
  EXPECT_THAT(SmallLlama2c().Encode("\xC3\xA9"), ElementsAre(259, 3 + 0xC3, 3 + 0xA9));
}

TEST(Llama2cTokenizerTest, NeverMergesIntoByteNames) {
  EXPECT_EQ(SmallLlama2c().Decode(SmallLlama2c().Encode("<0x41>")), "<0x41>");
}

TEST(Llama2cTokenizerTest, DropsTheDummySpaceAtTheStartAndAfterBos) {
  const std::array<TokenId, 6> ids = {1, 265, 259, 1, 265, 2};
  EXPECT_EQ(SmallLlama2c().Decode(ids), "a a");
  EXPECT_EQ(SmallLlama2c().Piece(265), " a");
}

TEST(Llama2cTokenizerTest, AnyBytesComeBack) {
  const Llama2cTokenizer tokenizer = SmallLlama2c();
  std::mt19937 random(29);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (size_t i = 0; i < random() % 100; ++i) {
      text += random() % 2 ? "abc \n"[random() % 5] : static_cast<char>(random() % 256);
    }
    ASSERT_EQ(tokenizer.Decode(tokenizer.Encode(text)), text);
  }
}

TEST(Llama2cTokenizerTest, SavedIsByteForByteTheSame) {
  const TemporaryFolder folder;
  ASSERT_TRUE(SmallLlama2c().Save(folder.path()).ok());
  EXPECT_EQ(ReadWholeFile(folder.File("tokenizer.bin")), SmallFile());
  const auto opened = OpenTokenizer(folder.path());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ((*opened)->vocab_size(), 267);
}

TEST(Llama2cTokenizerTest, NamesWhatIsWrongInAFile) {
  const std::string good = SmallFile();
  EXPECT_EQ(Complaint(good, 267), "");
  EXPECT_EQ(Complaint(good, 512), "t.bin: holds 267 pieces, but the vocabulary has 512");
  EXPECT_THAT(Complaint("abc"), HasSubstr("begins with 4 bytes, found 3"));
  EXPECT_THAT(Complaint(good.substr(0, 4)), HasSubstr("259 or more pieces"));
  EXPECT_THAT(Complaint(good.substr(0, good.size() - 1)), HasSubstr("truncated in piece 266"));
  EXPECT_THAT(Complaint(good + "xy"), HasSubstr("truncated in piece 267"));
  EXPECT_THAT(Complaint(good + PieceBytes(0, "12345678")), HasSubstr("piece 267: expected 1 to 7"));
  EXPECT_THAT(Complaint(good + PieceBytes(0, "")), HasSubstr("piece 267: expected 1 to 7"));
  EXPECT_THAT(Complaint(good + PieceBytes(std::numeric_limits<float>::quiet_NaN(), "x")),
              HasSubstr("piece 267: its score is not a number"));
  std::string wrong_byte = good;
  wrong_byte[wrong_byte.find("<0x41>") + 3] = '5';
  EXPECT_THAT(Complaint(wrong_byte), HasSubstr("piece 68: expected <0x41>, found \"<0x51>\""));
}

TEST(Llama2cTokenizerTest, CorruptedFilesNeverCrash) {
  const std::string good = SmallFile();
  std::mt19937 random(31);
  for (int round = 0; round < 500; ++round) {
    std::string bad = good.substr(0, random() % (good.size() + 1));
    for (int i = 0; i < 3 && !bad.empty(); ++i) {
      bad[random() % bad.size()] = static_cast<char>(random() % 256);
    }
    const auto tokenizer = Llama2cTokenizer::Parse(bad, "x");
    if (!tokenizer.ok()) continue;
    EXPECT_EQ(tokenizer->Serialize(), bad);
  }
}

class RealLlama2cTokenizerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = SharedFile("data/llama2/tokenizer.bin");
    if (path_.empty()) GTEST_SKIP() << "no shared data: data/llama2/tokenizer.bin";
  }
  std::string path_;
};

TEST_F(RealLlama2cTokenizerTest, ReadsAndWritesTheSameBytes) {
  const auto tokenizer = Llama2cTokenizer::Open(path_, 32000);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->Serialize(), ReadWholeFile(path_));
}

TEST_F(RealLlama2cTokenizerTest, EncodesStoriesAsTheShardHasThem) {
  const auto tokenizer = Llama2cTokenizer::Open(path_);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const std::string text = ReadWholeFile(SharedFile("data/tinystories/train.txt"));
  const std::string shard = ReadWholeFile(SharedFile("data/tinystories/train.llama32k.bin"));
  std::vector<TokenId> expected(20000);
  for (size_t i = 0; i < expected.size(); ++i) {
    uint16_t id;
    std::memcpy(&id, shard.data() + 2 * i, 2);
    expected[i] = id;
  }
  std::vector<TokenId> ids;
  constexpr std::string_view kSeparator = "\n<|endoftext|>\n";
  for (size_t from = 0; ids.size() < expected.size();) {
    const size_t end = text.find(kSeparator, from);
    const std::string story = text.substr(from, end - from);
    const auto story_ids = tokenizer->Encode(story);
    ids.push_back(Llama2cTokenizer::kBos);
    ids.insert(ids.end(), story_ids.begin(), story_ids.end());
    ASSERT_EQ(tokenizer->Decode(story_ids), story);
    from = end + kSeparator.size();
  }
  ids.resize(expected.size());
  EXPECT_EQ(ids, expected);
}

TEST(OpenTokenizerTest, NamesWhatIsSupported) {
  const TemporaryFolder folder;
  const auto complaint = [](const std::string& path) {
    const auto tokenizer = OpenTokenizer(path);
    return tokenizer.ok() ? "" : tokenizer.error().message;
  };
  EXPECT_THAT(complaint(folder.File("none")), HasSubstr("none: no such file"));
  EXPECT_THAT(complaint(folder.path()),
              HasSubstr("holds no tokenizer; supported are tokenizer.json"));
  EXPECT_THAT(complaint(folder.Write("notes.txt", "x")), HasSubstr("supported are"));
  EXPECT_THAT(complaint(folder.Write("vocab.json", "{}")), HasSubstr("merges.txt"));
  EXPECT_THAT(complaint(folder.path()), HasSubstr("merges.txt"));
  EXPECT_THAT(complaint(folder.Write("tokenizer.bin", "")), HasSubstr("found 0"));
  EXPECT_THAT(complaint(folder.Write("tokenizer.model", "x")), HasSubstr("SentencePiece"));
  EXPECT_THAT(complaint(folder.Write("tokenizer.json", "{")), HasSubstr("not valid JSON"));
  // In a folder tokenizer.model comes first.
  EXPECT_THAT(complaint(folder.path()), HasSubstr("not a SentencePiece model"));
}

}  // namespace
}  // namespace millwright::text
