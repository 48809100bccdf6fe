#include "data/vocabulary.h"

#include <gmock/gmock.h>

#include <array>
#include <cmath>

#include "data/token_file.h"
#include "data/token_list.h"
#include "text/test_files.h"

namespace millwright::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Sources = std::vector<std::shared_ptr<const TokenSource>>;

VocabMap Built(VocabMode mode, int64_t vocab = 10) {
  const Sources sources = {MakeTokenList({7, 2, 7}, "train"), MakeTokenList({2, 4}, "val")};
  auto map = VocabMap::Build(mode, vocab, sources);
  EXPECT_TRUE(map.ok());
  return *std::move(map);
}

TEST(VocabMapTest, Exact) {
  const VocabMap map = Built(VocabMode::kExact);
  EXPECT_THAT(map.active(), ElementsAre(2, 4, 7));
  EXPECT_EQ(map.rows(), 4);
  EXPECT_EQ(map.inactive_count(), 7);
  EXPECT_TRUE(map.has_shared_row());
  EXPECT_EQ(map.LastRowBias(), std::log(7.0));
  EXPECT_EQ(map.Row(4), 1);
  EXPECT_EQ(map.Row(3), -1);
}

TEST(VocabMapTest, ExactWithoutInactiveWordsHasNoSharedRow) {
  const auto map = VocabMap::FromActive(VocabMode::kExact, 3, {0, 1, 2});
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->rows(), 3);
  EXPECT_FALSE(map->has_shared_row());
  EXPECT_EQ(map->LastRowBias(), 0.0);
}

TEST(VocabMapTest, Active) {
  const VocabMap map = Built(VocabMode::kActive);
  EXPECT_EQ(map.rows(), 3);
  EXPECT_EQ(map.vocab(), 10);
  EXPECT_EQ(map.inactive_count(), 7);
  EXPECT_FALSE(map.has_shared_row());
  EXPECT_EQ(map.LastRowBias(), 0.0);
}

TEST(VocabMapTest, Full) {
  const VocabMap map = Built(VocabMode::kFull);
  EXPECT_EQ(map.rows(), 10);
  EXPECT_EQ(map.inactive_count(), 0);
  EXPECT_EQ(map.LastRowBias(), 0.0);
  for (int32_t id = 0; id < 10; ++id) EXPECT_EQ(map.Row(id), id);
  EXPECT_EQ(map.Row(10), -1);
  EXPECT_EQ(map.Row(-1), -1);
}

TEST(VocabMapTest, RowsAndActiveWordsAreInverse) {
  for (VocabMode mode : {VocabMode::kExact, VocabMode::kActive, VocabMode::kFull}) {
    const VocabMap map = Built(mode);
    for (size_t row = 0; row < map.active().size(); ++row) {
      EXPECT_EQ(map.Row(map.active()[row]), static_cast<int32_t>(row));
    }
    const auto again = VocabMap::FromActive(mode, 10, map.active());
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->rows(), map.rows());
  }
}

TEST(VocabMapTest, MapsTokensOrNamesTheFirstWithoutARow) {
  const VocabMap map = Built(VocabMode::kExact);
  std::array<int32_t, 3> rows = {};
  ASSERT_TRUE(map.MapTokens(std::array{7, 2, 4}, rows).ok());
  EXPECT_THAT(rows, ElementsAre(2, 0, 1));
  const auto inactive = map.MapTokens(std::array{7, 3, 5}, rows);
  ASSERT_FALSE(inactive.ok());
  EXPECT_THAT(inactive.error().message,
              HasSubstr("token 3 at position 1 is not among the 3 active"));
  const auto outside = map.MapTokens(std::array{7, 2, 10}, rows);
  ASSERT_FALSE(outside.ok());
  EXPECT_THAT(outside.error().message,
              HasSubstr("token 10 at position 2 is outside the vocabulary"));
}

TEST(VocabMapTest, NamesWhatIsWrong) {
  const auto built = [](int64_t vocab, const Sources& sources) {
    const auto map = VocabMap::Build(VocabMode::kActive, vocab, sources);
    return map.ok() ? "" : map.error().message;
  };
  EXPECT_THAT(built(5, {MakeTokenList({1, 5}, "train")}),
              HasSubstr("train: token 5 at offset 1 is outside the vocabulary of 5"));
  EXPECT_THAT(built(5, {}), HasSubstr("no tokens"));
  EXPECT_THAT(built(0, {MakeTokenList({1}, "x")}), HasSubstr("vocabulary size"));
  const auto resumed = [](VocabMode mode, std::vector<int32_t> active) {
    const auto map = VocabMap::FromActive(mode, 5, std::move(active));
    return map.ok() ? "" : map.error().message;
  };
  EXPECT_EQ(resumed(VocabMode::kFull, {}), "");
  EXPECT_THAT(resumed(VocabMode::kActive, {}), HasSubstr("empty"));
  EXPECT_THAT(resumed(VocabMode::kActive, {1, 5}), HasSubstr("entry 1 is 5, outside"));
  EXPECT_THAT(resumed(VocabMode::kActive, {-1}), HasSubstr("entry 0 is -1, outside"));
  EXPECT_THAT(resumed(VocabMode::kExact, {2, 2}), HasSubstr("entry 1 is 2 after 2"));
  EXPECT_THAT(resumed(VocabMode::kFull, {0, 1}), HasSubstr("needs all 5 words, found 2"));
}

TEST(VocabMapTest, ModeNamesComeBack) {
  for (VocabMode mode : {VocabMode::kExact, VocabMode::kActive, VocabMode::kFull}) {
    EXPECT_EQ(VocabModeFromName(VocabModeName(mode)), mode);
  }
  EXPECT_EQ(VocabModeFromName("all"), std::nullopt);
}

TEST(VocabMapTest, RealStories) {
  const std::string train = SharedFile("data/tinystories/train.llama32k.bin");
  const std::string valid = SharedFile("data/tinystories/valid.llama32k.bin");
  if (train.empty() || valid.empty()) GTEST_SKIP() << "no shared data: data/tinystories";
  Sources sources;
  sources.push_back(*OpenTokenFile(train));
  const auto alone = VocabMap::Build(VocabMode::kActive, 32000, sources);
  ASSERT_TRUE(alone.ok());
  EXPECT_EQ(alone->rows(), 6512);
  sources.push_back(*OpenTokenFile(valid));
  const auto both = VocabMap::Build(VocabMode::kExact, 32000, sources);
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->active().size(), 6839u);
  EXPECT_EQ(both->rows(), 6840);
}

}  // namespace
}  // namespace millwright::data
