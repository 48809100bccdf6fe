#include "mil/cursor.h"

#include <algorithm>
#include <utility>

namespace millwright::mil {
namespace {

constexpr size_t kLongestQuotation = 40;

std::string Describe(const Token& token) {
  if (token.kind == TokenKind::kEnd) return "the end of the text";
  if (token.kind == TokenKind::kInvalid) return std::string(token.problem);
  const std::string_view shown = token.text.substr(0, kLongestQuotation);
  return fmt::format("'{}{}'", shown, shown.size() < token.text.size() ? "..." : "");
}

}  // namespace

Cursor::Cursor(std::string_view text, std::string_view where)
    : text_(text), where_(where), lexer_(text), token_(lexer_.Next()) {}

Token Cursor::After() const {
  Lexer ahead = lexer_;
  return ahead.Next();
}

Token Cursor::Take() { return std::exchange(token_, lexer_.Next()); }

bool Cursor::Is(std::string_view text) const {
  return (token_.kind == TokenKind::kSymbol || token_.kind == TokenKind::kIdentifier) &&
         token_.text == text;
}

bool Cursor::Accept(std::string_view text) {
  if (!Is(text)) return false;
  Take();
  return true;
}

bool Cursor::Expect(std::string_view text) {
  return Accept(text) || Expected(fmt::format("'{}'", text));
}

bool Cursor::Expect(TokenKind kind, std::string_view what, Token* token) {
  if (token_.kind != kind) return Expected(what);
  *token = Take();
  return true;
}

bool Cursor::Expected(std::string_view what) {
  return Fail(token_, fmt::format("expected {}, found {}", what, Describe(token_)));
}

bool Cursor::Fail(const Token& at, std::string message) {
  if (error_) return false;
  const Location place = Locate(text_, at.offset);
  error_ = BadInput("{}:{}:{}: {}\n  {}\n  {:>{}}", where_, place.line, place.column, message,
                    place.excerpt, '^', place.caret + 1);
  return false;
}

Error Cursor::error() const {
  return error_.value_or(Failed("{}: the parser stopped without a reason", where_));
}

}  // namespace millwright::mil
