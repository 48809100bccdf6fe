// MIL text as tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millwright::mil {

enum class TokenKind {
  kIdentifier,
  kNumber,  // also "-inf"; "inf" and "nan" are identifiers
  kString,  // with its quotes and escapes
  kSymbol,  // one of ( ) [ ] { } < > , = ; ? or ->
  kEnd,
  kInvalid,  // `problem` says why
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // as written
  size_t offset = 0;      // of the first byte
  std::string_view problem;
};

// Cuts a text into tokens, skipping white space and comments (// and /* */).
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  // The next token; kEnd at and after the end.
  Token Next();

 private:
  void SkipLine();
  std::optional<Token> SkipBlanks();
  Token Make(TokenKind kind, size_t size, std::string_view problem = {});
  Token Number();
  Token String();

  std::string_view text_;
  size_t position_ = 0;
};

// The characters that a kString token stands for: \" \\ \n \r \t and \xHH are escapes. Nothing for
// an escape that is none of those.
std::optional<std::string> Unquote(std::string_view token);

// The inverse, on one line.
std::string Quote(std::string_view characters);

// Where an offset is, counted from 1, and the line for display.
struct Location {
  size_t line = 1;
  size_t column = 1;
  std::string excerpt;  // the line, clipped around the column if it is long
  size_t caret = 0;     // characters of `excerpt` before the place
};
Location Locate(std::string_view text, size_t offset);

}  // namespace millwright::mil
