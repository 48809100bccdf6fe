#include "mil/lexer.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"

namespace millwright::mil {
namespace {

std::vector<std::string> Texts(std::string_view text) {
  Lexer lexer(text);
  std::vector<std::string> texts;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    texts.emplace_back(token.text);
  }
  return texts;
}

TokenKind FirstKind(std::string_view text) { return Lexer(text).Next().kind; }

TEST(LexerTest, CutsAStatement) {
  EXPECT_EQ(
      Texts("fp16 a=f(x=-0x1p-3,y = 1e-5)[name=string(\"a\\\"b\")]; // end\n/* , */}->"),
      (std::vector<std::string>{"fp16",   "a", "=",          "f",    "(", "x", "=",    "-0x1p-3",
                                ",",      "y", "=",          "1e-5", ")", "[", "name", "=",
                                "string", "(", "\"a\\\"b\"", ")",    "]", ";", "}",    "->"}));
}

TEST(LexerTest, KnowsTheKinds) {
  EXPECT_EQ(FirstKind("_a1"), TokenKind::kIdentifier);
  EXPECT_EQ(FirstKind("inf"), TokenKind::kIdentifier);
  EXPECT_EQ(FirstKind("-inf"), TokenKind::kNumber);
  EXPECT_EQ(FirstKind("-5"), TokenKind::kNumber);
  EXPECT_EQ(FirstKind(".5"), TokenKind::kNumber);
  EXPECT_EQ(FirstKind("->"), TokenKind::kSymbol);
  EXPECT_EQ(FirstKind("  \r\n\t"), TokenKind::kEnd);
  for (const char* text :
       {"$", "-", "-infinite", "\"open", "\"open\nclosed\"", "/* open", "\x01"}) {
    EXPECT_EQ(FirstKind(text), TokenKind::kInvalid) << text;
  }
}

TEST(LexerTest, AnyBytesSurviveQuoting) {
  const Rng rng(3, StreamId("quote"));
  for (uint64_t round = 0; round < 200; ++round) {
    std::string characters;
    for (uint64_t i = 0; i < round % 40; ++i) {
      characters += static_cast<char>(rng.Bits(round * 64 + i) & 0xFF);
    }
    const std::string quoted = Quote(characters);
    const Token token = Lexer(quoted).Next();
    ASSERT_EQ(token.kind, TokenKind::kString);
    ASSERT_EQ(token.text, quoted);
    ASSERT_EQ(Unquote(token.text), characters);
  }
}

TEST(LexerTest, RefusesUnknownEscapes) {
  for (const char* text : {R"("\q")", R"("\x4")", R"("\xZZ")"}) EXPECT_FALSE(Unquote(text)) << text;
}

TEST(LexerTest, LocatesAPlace) {
  const Location place = Locate("one\n\ttwo three\nfour", 9);
  EXPECT_EQ(place.line, 2u);
  EXPECT_EQ(place.column, 6u);
  EXPECT_EQ(place.excerpt, " two three");
  EXPECT_EQ(place.caret, 5u);
}

TEST(LexerTest, ClipsLongLines) {
  const std::string text = std::string(100000, 'a') + "!" + std::string(100000, 'b');
  const Location place = Locate(text, 100000);
  EXPECT_EQ(place.column, 100001u);
  EXPECT_LT(place.excerpt.size(), 200u);
  EXPECT_EQ(place.excerpt[place.caret], '!');
}

}  // namespace
}  // namespace millwright::mil
