// A place in a text that is being parsed. The first problem is kept; functions return false from
// there on, so that a parser reads as a sequence of expectations.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mil/lexer.h"

namespace millwright::mil {

class Cursor {
 public:
  // `where` names the text in messages.
  Cursor(std::string_view text, std::string_view where);

  const Token& token() const { return token_; }
  // The token after `token()`.
  Token After() const;
  Token Take();

  bool Is(std::string_view text) const;
  // Takes the symbol or word if it is next.
  bool Accept(std::string_view text);
  // The same, and a problem if it is not.
  bool Expect(std::string_view text);
  // Takes a token of that kind; `what` describes it.
  bool Expect(TokenKind kind, std::string_view what, Token* token);

  // Records "expected `what`, found <the next token>".
  bool Expected(std::string_view what);
  // Records a problem at `at`. Always false.
  bool Fail(const Token& at, std::string message);

  // Only after something returned false.
  Error error() const;

 private:
  std::string_view text_;
  std::string_view where_;
  Lexer lexer_;
  Token token_;
  std::optional<Error> error_;
};

}  // namespace millwright::mil
