#include "text/pre_tokenizer.h"

#include <gmock/gmock.h>

#include <random>
#include <regex>
#include <string>
#include <vector>

namespace millwright::text {
namespace {

using testing::ElementsAre;

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t length = FirstWordLength(text);
    words.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return words;
}

TEST(PreTokenizerTest, CutsWordsWithTheirSpace) {
  EXPECT_THAT(Words("One day, 42 cats"), ElementsAre("One", " day", ",", " 42", " cats"));
}

TEST(PreTokenizerTest, CutsContractions) {
  EXPECT_THAT(Words("it's we'll 'LL don't"),
              ElementsAre("it", "'s", " we", "'ll", " '", "LL", " don", "'t"));
}

TEST(PreTokenizerTest, LeavesTheLastSpaceToTheNextWord) {
  EXPECT_THAT(Words("a   b \n\n c  "), ElementsAre("a", "  ", " b", " \n\n", " c", "  "));
  EXPECT_THAT(Words("a\n\nb"), ElementsAre("a", "\n", "\n", "b"));
}

TEST(PreTokenizerTest, KeepsCharactersAboveAsciiWhole) {
  EXPECT_THAT(Words("caf\xC3\xA9 x"), ElementsAre("caf\xC3\xA9", " x"));
}

// GPT-2's expression in ECMAScript for ASCII text.
TEST(PreTokenizerTest, EqualsTheRegularExpressionOnRandomAscii) {
  const std::regex gpt2(
      "'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\\sA-Za-z0-9]+|\\s+(?!\\S)|\\s+");
  constexpr std::string_view kAlphabet = "   \n\t'''ssdtrevmlabZ019.,!-\"";
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (size_t i = 0; i < 1 + random() % 40; ++i) text += kAlphabet[random() % kAlphabet.size()];
    std::vector<std::string> expected;
    for (std::sregex_iterator it(text.begin(), text.end(), gpt2), end; it != end; ++it) {
      expected.push_back(it->str());
    }
    ASSERT_EQ(Words(text), expected) << text;
  }
}

}  // namespace
}  // namespace millwright::text
