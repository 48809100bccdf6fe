#include "text/pre_tokenizer.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "text/test_texts.h"

namespace millwright::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PreTokenizer Make(std::string_view pattern) {
  auto pre_tokenizer = PreTokenizer::Create(pattern);
  EXPECT_TRUE(pre_tokenizer.ok()) << pre_tokenizer.error().message;
  return *std::move(pre_tokenizer);
}

std::vector<std::string> Words(const PreTokenizer& pre_tokenizer, std::string_view text,
                               bool shortcut = true) {
  PreTokenizer::Scanner scanner(pre_tokenizer, shortcut);
  std::vector<std::string> words;
  for (size_t from = 0; from < text.size();) {
    const auto end = scanner.WordEnd(text, from, /*last=*/true);
    EXPECT_TRUE(end.ok()) << end.error().message;
    if (!end.ok()) break;
    words.emplace_back(text.substr(from, *end - from));
    from = *end;
  }
  return words;
}

TEST(PreTokenizerTest, Gpt2CutsWordsWithTheirSpace) {
  const PreTokenizer gpt2 = Make(kGpt2Pattern);
  EXPECT_THAT(Words(gpt2, "One day, 42 cats"), ElementsAre("One", " day", ",", " 42", " cats"));
  EXPECT_THAT(Words(gpt2, "it's we'll 'LL don't"),
              ElementsAre("it", "'s", " we", "'ll", " '", "LL", " don", "'t"));
  EXPECT_THAT(Words(gpt2, "a   b \n\n c  "), ElementsAre("a", "  ", " b", " \n\n", " c", "  "));
  EXPECT_THAT(Words(gpt2, "a\n\nb"), ElementsAre("a", "\n", "\n", "b"));
  EXPECT_THAT(Words(gpt2, "caf\u00E9 \u2014 x"), ElementsAre("caf\u00E9", " \u2014", " x"));
}

TEST(PreTokenizerTest, QwenCutsDigitsAndKeepsLineEnds) {
  const PreTokenizer qwen = Make(kQwenPattern);
  EXPECT_THAT(Words(qwen, "x=12;\n\ny"), ElementsAre("x", "=", "1", "2", ";\n\n", "y"));
  EXPECT_THAT(Words(qwen, "WE'LL (go)"), ElementsAre("WE", "'LL", " (", "go", ")"));
  EXPECT_THAT(Words(qwen, "a \n \n  b"), ElementsAre("a", " \n \n", " ", " b"));
  EXPECT_THAT(Words(Make(kLlama3Pattern), "12345"), ElementsAre("123", "45"));
}

TEST(PreTokenizerTest, WhiteSpaceIsUnicodes) {
  // U+180E is none, U+0085 is.
  EXPECT_THAT(Words(Make(R"(\s+|\S+)"), "a\u180Eb\u0085c"), ElementsAre("a\u180Eb", "\u0085", "c"));
  EXPECT_THAT(Words(Make(R"([^\s]+|[\s]+)"), "a\u3000b"), ElementsAre("a", "\u3000", "b"));
}

TEST(PreTokenizerTest, WhatLiesBetweenMatchesIsAWord) {
  EXPECT_THAT(Words(Make("[0-9]+"), "ab12cd"), ElementsAre("ab", "12", "cd"));
}

// The shortcuts of ascii_words.h, held against the expressions themselves.
TEST(PreTokenizerTest, ShortcutsEqualTheExpressions) {
  std::mt19937 random(3);
  std::vector<std::string> texts = OddTexts();
  for (int round = 0; round < 3000; ++round) {
    texts.push_back(RandomAscii(random, 1 + random() % 60));
    texts.push_back(RandomUnicode(random, 1 + random() % 30));
  }
  // Every text of up to four characters of all kinds.
  constexpr std::string_view kKinds[] = {"s", "L", "'",      " ",      "\n",     "\r",    "\t",
                                         "7", ".", "\u00E9", "\u3000", "\u0663", "\u017F"};
  std::vector<std::string> grown = {""};
  for (int length = 0; length < 4; ++length) {
    std::vector<std::string> longer;
    for (const std::string& text : grown) {
      for (std::string_view kind : kKinds) longer.push_back(text + std::string(kind));
    }
    texts.insert(texts.end(), longer.begin(), longer.end());
    grown = std::move(longer);
  }
  for (std::string_view pattern : {kGpt2Pattern, kQwenPattern, kLlama3Pattern}) {
    const PreTokenizer pre_tokenizer = Make(pattern);
    for (const std::string& text : texts) {
      ASSERT_EQ(Words(pre_tokenizer, text), Words(pre_tokenizer, text, /*shortcut=*/false))
          << ::testing::PrintToString(text);
    }
  }
}

TEST(PreTokenizerTest, WaitsForTextThatMatters) {
  const PreTokenizer qwen = Make(kQwenPattern);
  for (bool shortcut : {true, false}) {
    PreTokenizer::Scanner scanner(qwen, shortcut);
    EXPECT_EQ(*scanner.WordEnd("hello", 0, false), 0u);
    EXPECT_EQ(*scanner.WordEnd("hello", 0, true), 5u);
    EXPECT_EQ(*scanner.WordEnd("hello ", 0, false), 5u);
    EXPECT_EQ(*scanner.WordEnd("hello  ", 5, false), 5u);
    EXPECT_EQ(*scanner.WordEnd("hello  x", 5, false), 6u);
  }
}

TEST(PreTokenizerTest, NamesWhatIsWrongWithAPattern) {
  const auto complaint = [](std::string_view pattern) {
    const auto made = PreTokenizer::Create(pattern);
    return made.ok() ? "" : made.error().message;
  };
  EXPECT_EQ(complaint("a|b"), "");
  EXPECT_THAT(complaint("a("), HasSubstr("pattern: missing closing parenthesis at 2"));
  EXPECT_THAT(complaint("a*"), HasSubstr("matches the empty string"));
  EXPECT_THAT(complaint("\\w+"), HasSubstr("\\w at 0: differs"));
  EXPECT_THAT(complaint("[a[bc]]"), HasSubstr("sets of sets"));
  EXPECT_THAT(complaint("[a&&b]"), HasSubstr("sets of sets"));
  EXPECT_THAT(complaint("[[:alpha"), HasSubstr("[: at 1: has no :]"));
  EXPECT_THAT(complaint("a\\"), HasSubstr("pattern: "));
}

TEST(PreTokenizerTest, CatastrophicBacktrackingIsAnError) {
  const PreTokenizer hostile = Make("(x+x+)+y|z");
  PreTokenizer::Scanner scanner(hostile);
  const auto end = scanner.WordEnd(std::string(60, 'x'), 0, /*last=*/true);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(end.error().message, HasSubstr("gives up: match limit exceeded"));
}

}  // namespace
}  // namespace millwright::text
