#include "text/word_cache.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <string>

namespace millwright::text {
namespace {

using ::testing::ElementsAre;

TEST(WordCacheTest, KnowsWhatItWasTold) {
  WordCache cache;
  std::vector<TokenId> ids = {9};
  EXPECT_FALSE(cache.Append("word", ids));
  const std::vector<TokenId> word = {1, 2}, nothing;
  cache.Insert("word", word.data(), word.size());
  cache.Insert("none", nothing.data(), 0);
  EXPECT_TRUE(cache.Append("word", ids));
  EXPECT_TRUE(cache.Append("none", ids));
  EXPECT_FALSE(cache.Append("Word", ids));
  EXPECT_FALSE(cache.Append("words", ids));
  EXPECT_THAT(ids, ElementsAre(9, 1, 2));
}

// Of all lengths, more words than it can hold: what it says is right, and it goes on remembering.
TEST(WordCacheTest, IsRightWhenItIsFull) {
  WordCache cache(20'000);
  std::map<std::string, std::vector<TokenId>> truth;
  std::mt19937 random(1);
  int known = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string word;
    for (size_t size = 1 + random() % 70; word.size() < size;) word += "ab"[random() % 2];
    if (random() % 2 == 0) word.resize(1 + word.size() % 8);
    std::vector<TokenId>& ids = truth[word];
    if (ids.empty()) ids.assign(1 + random() % 5, static_cast<TokenId>(i));
    std::vector<TokenId> found;
    if (cache.Append(word, found)) {
      ++known;
      ASSERT_EQ(found, ids) << word;
    } else {
      cache.Insert(word, ids.data(), ids.size());
    }
  }
  EXPECT_GT(known, 5000);
}

}  // namespace
}  // namespace millwright::text
