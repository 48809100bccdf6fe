#include "data/token_file.h"

#include <gmock/gmock.h>

#include <numeric>
#include <random>
#include <vector>

#include "base/test_temporary_files.h"
#include "data/token_hash.h"
#include "data/token_list.h"
#include "text/test_files.h"

namespace millwright::data {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<int32_t> Contents(const TokenSource& source) {
  std::vector<int32_t> ids(static_cast<size_t>(source.size()));
  source.Copy(0, ids);
  return ids;
}

std::string Complaint(const std::string& path, const TokenFileChecks& checks = {}) {
  const auto file = OpenTokenFile(path, checks);
  if (file.ok()) return "";
  EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(file.error().message, HasSubstr(path));
  return file.error().message;
}

TEST(TokenHashTest, DoesNotDependOnThePieces) {
  std::vector<int32_t> ids(1000);
  std::iota(ids.begin(), ids.end(), 7);
  TokenHash whole;
  whole.Add(ids);
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    TokenHash parts;
    for (size_t from = 0; from < ids.size();) {
      const size_t count = std::min<size_t>(random() % 30, ids.size() - from);
      parts.Add(std::span(ids).subspan(from, count));
      from += count;
    }
    ASSERT_EQ(parts.Value(), whole.Value());
  }
}

TEST(TokenHashTest, SeesEveryTokenTheOrderAndTheCount) {
  std::vector<int32_t> ids(40, 3);
  const auto hash = [](const std::vector<int32_t>& tokens) {
    return MakeTokenList(tokens, "x")->hash();
  };
  const uint64_t before = hash(ids);
  for (size_t i = 0; i < ids.size(); ++i) {
    ++ids[i];
    EXPECT_NE(hash(ids), before) << i;
    --ids[i];
  }
  EXPECT_NE(hash({1, 2}), hash({2, 1}));
  ids.push_back(0);
  EXPECT_NE(hash(ids), before);
  EXPECT_NE(hash({}), hash({0}));
}

TEST(TokenFileTest, ReadsPlainU16) {
  const TemporaryFolder folder;
  const auto file = OpenTokenFile(folder.Write("a.bin", {"\x01\x00\x02\x01\xFF\xFF", 6}));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(Contents(**file), (std::vector<int32_t>{1, 258, 65535}));
  EXPECT_EQ((*file)->name(), folder.File("a.bin"));
  int32_t last = 0;
  (*file)->Copy(2, {&last, 1});
  EXPECT_EQ(last, 65535);
}

TEST(TokenFileTest, WrittenShardsComeBack) {
  const TemporaryFolder folder;
  std::mt19937 random(2);
  for (int64_t vocab : {1, 300, 65536, 65537, 151936}) {
    std::vector<int32_t> ids(40000);
    for (int32_t& id : ids) id = static_cast<int32_t>(random() % vocab);
    ids.push_back(static_cast<int32_t>(vocab - 1));
    const std::string path = folder.File("s.bin");
    ASSERT_TRUE(WriteShard(path, ids, {.tokenizer = "t.json", .vocab = vocab}).ok());
    const auto file = OpenTokenFile(path, {.vocab = vocab, .seq = 256});
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(Contents(**file), ids);
    EXPECT_EQ((*file)->hash(), MakeTokenList(ids, "list")->hash());
    const auto info = ReadShardInfo(path);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->bytes_per_token, vocab <= 65536 ? 2 : 4);
    EXPECT_EQ(info->tokenizer, "t.json");
    EXPECT_EQ(info->vocab, vocab);
    EXPECT_EQ(info->tokens, static_cast<int64_t>(ids.size()));
    EXPECT_FALSE(HoldsTemporaryFiles(folder.path()));
  }
}

TEST(TokenFileTest, NamesWhatIsWrong) {
  const TemporaryFolder folder;
  EXPECT_THAT(Complaint(folder.File("none.bin")), HasSubstr("cannot be opened"));
  EXPECT_THAT(Complaint(folder.path()), HasSubstr("not a regular file"));
  EXPECT_THAT(Complaint(folder.Write("empty.bin", "")), HasSubstr("is empty"));
  EXPECT_THAT(Complaint(folder.Write("odd.bin", "abc")),
              HasSubstr("3 bytes are not a whole number of 2-byte tokens"));
  std::string ids(100000, '\0');
  ids[2 * 40001] = '\x07';
  ids[2 * 40003] = '\x09';
  const std::string path = folder.Write("ids.bin", ids);
  EXPECT_THAT(Complaint(path, {.vocab = 7}),
              HasSubstr("token 7 at offset 40001 is outside the vocabulary of 7"));
  EXPECT_THAT(Complaint(path, {.vocab = 9}), HasSubstr("token 9 at offset 40003"));
  EXPECT_EQ(Complaint(path, {.vocab = 10, .seq = 49998}), "");
  EXPECT_THAT(Complaint(path, {.vocab = 10, .seq = 49999}),
              HasSubstr("holds 50000 tokens, but sequences of 49999 need at least 50001"));
}

TEST(TokenFileTest, NamesWhatIsWrongWithTheSidecar) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a.bin", std::string(8, '\0'));
  const auto with = [&](std::string_view sidecar) {
    folder.Write("a.bin.json", sidecar);
    return Complaint(path);
  };
  EXPECT_EQ(with("{}"), "");
  EXPECT_EQ(with(R"({"dtype":"u32","tokens":2,"note":[1]})"), "");
  EXPECT_THAT(with("{"), HasSubstr("a.bin.json: not valid JSON"));
  EXPECT_THAT(with("[1]"), HasSubstr("expected an object, found array"));
  EXPECT_THAT(with(R"({"dtype":"u8"})"), HasSubstr("expected \"u16\" or \"u32\", found \"u8\""));
  EXPECT_THAT(with(R"({"vocab":-1})"),
              HasSubstr("\"vocab\": expected a positive integer, found -1"));
  EXPECT_THAT(with(R"({"vocab":18446744073709551615})"), HasSubstr("expected a positive integer"));
  EXPECT_THAT(with(R"({"tokenizer":5})"), HasSubstr("\"tokenizer\": expected text"));
  EXPECT_THAT(with(R"({"tokens":3})"), HasSubstr("holds 4 tokens"));
  folder.Write("a.bin", std::string(6, '\0'));
  EXPECT_THAT(with(R"({"dtype":"u32"})"), HasSubstr("6 bytes are not a whole number of 4-byte"));
  folder.Write("a.bin", std::string(8, '\xFF'));
  EXPECT_THAT(with(R"({"dtype":"u32"})"), HasSubstr("token 4294967295 at offset 0"));
}

TEST(TokenFileTest, WritesNothingThatCannotBeReadBack) {
  const TemporaryFolder folder;
  const std::string path = folder.File("s.bin");
  const auto complaint = [&](std::vector<int32_t> ids, int64_t vocab) {
    const auto status = WriteShard(path, ids, {.vocab = vocab});
    return status.ok() ? "" : status.error().message;
  };
  EXPECT_THAT(complaint({1, 5}, 5),
              HasSubstr("token 5 at offset 1 is outside the vocabulary of 5"));
  EXPECT_THAT(complaint({-1}, 5), HasSubstr("token -1 at offset 0"));
  EXPECT_THAT(complaint({}, 5), HasSubstr("no tokens"));
  EXPECT_THAT(complaint({1}, 0), HasSubstr("vocabulary size"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  const auto status =
      WriteShard(folder.File("no/such/s.bin"), std::vector<int32_t>{1}, {.vocab = 2});
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("no/such/s.bin"));
}

TEST(TokenFileTest, RealShard) {
  const std::string path = SharedFile("data/tinystories/train.llama32k.bin");
  if (path.empty()) GTEST_SKIP() << "no shared data: data/tinystories/train.llama32k.bin";
  const auto file = OpenTokenFile(path, {.vocab = 32000, .seq = 256});
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ((*file)->size(), 1825274);
  EXPECT_THAT(Complaint(path, {.vocab = 2048}), Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace millwright::data
