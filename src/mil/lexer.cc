#include "mil/lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "mil/digits.h"

namespace millwright::mil {
namespace {

constexpr size_t kExcerptBefore = 60;
constexpr size_t kExcerptAfter = 40;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsWord(char c) { return IsLetter(c) || IsDigit(c); }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

Token Lexer::Make(TokenKind kind, size_t size, std::string_view problem) {
  const Token token{kind, text_.substr(position_, size), position_, problem};
  position_ += token.text.size();
  return token;
}

void Lexer::SkipLine() {
  while (position_ < text_.size() && text_[position_] != '\n') ++position_;
}

// Returns a token only for a comment that never ends.
std::optional<Token> Lexer::SkipBlanks() {
  while (position_ < text_.size()) {
    const std::string_view rest = text_.substr(position_);
    if (IsBlank(rest.front())) {
      ++position_;
    } else if (rest.starts_with("//")) {
      SkipLine();
    } else if (rest.starts_with("/*")) {
      const size_t end = rest.find("*/", 2);
      if (end == std::string_view::npos) {
        Token token = Make(TokenKind::kInvalid, 2, "a comment that is never closed");
        position_ = text_.size();
        return token;
      }
      position_ += end + 2;
    } else {
      break;
    }
  }
  return std::nullopt;
}

Token Lexer::Next() {
  if (auto unclosed = SkipBlanks()) return *unclosed;
  const std::string_view rest = text_.substr(position_);
  if (rest.empty()) return Make(TokenKind::kEnd, 0);
  const char c = rest.front();
  if (IsLetter(c)) {
    const auto end = std::find_if_not(rest.begin(), rest.end(), IsWord);
    return Make(TokenKind::kIdentifier, static_cast<size_t>(end - rest.begin()));
  }
  if (rest.starts_with("->")) return Make(TokenKind::kSymbol, 2);
  if (rest.starts_with("-inf") && (rest.size() == 4 || !IsWord(rest[4]))) {
    return Make(TokenKind::kNumber, 4);
  }
  if (IsDigit(c) || c == '-' || c == '+' || c == '.') return Number();
  if (c == '"') return String();
  if (std::string_view("()[]{}<>,=;?").find(c) != std::string_view::npos) {
    return Make(TokenKind::kSymbol, 1);
  }
  return Make(TokenKind::kInvalid, 1, "a character that MIL does not use");
}

// Takes everything that could belong to a number; its value is judged where it is used.
Token Lexer::Number() {
  const std::string_view rest = text_.substr(position_);
  size_t size = rest.front() == '-' || rest.front() == '+' ? 1 : 0;
  const size_t digits = size;
  const bool hex = rest.substr(size, 2) == "0x" || rest.substr(size, 2) == "0X";
  while (size < rest.size()) {
    const char c = rest[size];
    const char before = size == 0 ? '\0' : rest[size - 1];
    const bool exponent = hex ? before == 'p' || before == 'P' : before == 'e' || before == 'E';
    if (!IsWord(c) && c != '.' && !((c == '-' || c == '+') && exponent)) break;
    ++size;
  }
  const std::string_view body = rest.substr(digits, size - digits);
  if (std::none_of(body.begin(), body.end(), IsDigit)) {
    return Make(TokenKind::kInvalid, size, "a sign or point without a number");
  }
  return Make(TokenKind::kNumber, size);
}

Token Lexer::String() {
  const std::string_view rest = text_.substr(position_);
  for (size_t i = 1; i < rest.size() && rest[i] != '\n'; ++i) {
    if (rest[i] == '"') return Make(TokenKind::kString, i + 1);
    if (rest[i] == '\\') ++i;
  }
  return Make(TokenKind::kInvalid, 1, "a string that is not closed on its line");
}

std::optional<std::string> Unquote(std::string_view token) {
  const std::string_view body = token.substr(1, token.size() - 2);
  std::string characters;
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\') {
      characters += body[i];
      continue;
    }
    if (++i == body.size()) return std::nullopt;
    switch (body[i]) {
      case 'n':
        characters += '\n';
        break;
      case 'r':
        characters += '\r';
        break;
      case 't':
        characters += '\t';
        break;
      case '"':
      case '\\':
        characters += body[i];
        break;
      case 'x': {
        if (i + 2 >= body.size()) return std::nullopt;
        const int high = HexDigit(body[i + 1]);
        const int low = HexDigit(body[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        characters += static_cast<char>(high * 16 + low);
        i += 2;
        break;
      }
      default:
        return std::nullopt;
    }
  }
  return characters;
}

std::string Quote(std::string_view characters) {
  std::string text = "\"";
  for (char c : characters) {
    switch (c) {
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      case '\t':
        text += "\\t";
        break;
      case '"':
        text += "\\\"";
        break;
      case '\\':
        text += "\\\\";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        // Bytes above 0x7F are UTF-8 and stay as they are.
        if (byte < 0x20 || byte == 0x7F) {
          text += fmt::format("\\x{:02X}", byte);
        } else {
          text += c;
        }
      }
    }
  }
  return text + '"';
}

Location Locate(std::string_view text, size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const size_t newline = before.rfind('\n');
  const size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  const size_t end = std::min(text.find('\n', offset), text.size());
  Location location;
  location.line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  location.column = 1 + offset - start;
  const size_t from = offset - std::min(offset - start, kExcerptBefore);
  const size_t to = offset + std::min(end - offset, kExcerptAfter);
  location.excerpt = std::string(text.substr(from, to - from));
  location.caret = offset - from;
  // A message stays on its lines, and the caret under its place.
  std::replace_if(
      location.excerpt.begin(), location.excerpt.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return location;
}

}  // namespace millwright::mil
