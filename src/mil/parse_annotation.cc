#include "mil/parse_annotation.h"

#include <string>

namespace millwright::mil {
namespace {

constexpr std::string_view kOpening = "([{<";
constexpr std::string_view kClosing = ")]}>";

bool IsWordLike(const Token& token) { return token.kind != TokenKind::kSymbol; }

// Appends a token so that the text lexes into the same tokens again.
bool AppendToken(Cursor& cursor, const Token& token, bool after_word, std::string* text) {
  if (after_word && IsWordLike(token)) *text += ' ';
  if (token.kind != TokenKind::kString) {
    *text += token.text;
    if (token.text == ",") *text += ' ';
    return true;
  }
  const auto characters = Unquote(token.text);
  if (!characters) return cursor.Fail(token, "the string holds an unknown escape");
  *text += Quote(*characters);
  return true;
}

// Whether `token` may stand inside a value; keeps the brackets that are still to be closed.
bool Balance(Cursor& cursor, const Token& token, std::string* open) {
  if (token.kind != TokenKind::kSymbol) return true;
  if (token.text == ";" || token.text == "->") return cursor.Expected("a value");
  if (const size_t at = kOpening.find(token.text); at != std::string_view::npos) {
    open->push_back(kClosing[at]);
  } else if (kClosing.find(token.text) != std::string_view::npos) {
    if (open->empty() || open->back() != token.text.front()) {
      return cursor.Expected(open->empty() ? "a value" : std::string("'") + open->back() + "'");
    }
    open->pop_back();
  }
  return true;
}

}  // namespace

bool ParseAnnotation(Cursor& cursor, Annotation* annotation) {
  if (!cursor.Expect("=")) return false;
  std::string open;
  bool after_word = false;
  while (!open.empty() || !(cursor.Is(",") || cursor.Is("]"))) {
    const Token token = cursor.token();
    if (token.kind == TokenKind::kEnd || token.kind == TokenKind::kInvalid) {
      return cursor.Expected("a value");
    }
    if (!Balance(cursor, token, &open) ||
        !AppendToken(cursor, token, after_word, &annotation->text)) {
      return false;
    }
    after_word = IsWordLike(token);
    cursor.Take();
  }
  return !annotation->text.empty() || cursor.Expected("a value");
}

bool ParseAnnotations(Cursor& cursor, std::vector<Annotation>* annotations) {
  if (!cursor.Accept("[")) return true;
  do {
    Annotation& annotation = annotations->emplace_back();
    Token key;
    if (!cursor.Expect(TokenKind::kIdentifier, "an attribute", &key)) return false;
    annotation.key = key.text;
    if (!ParseAnnotation(cursor, &annotation)) return false;
  } while (cursor.Accept(","));
  return cursor.Expect("]");
}

}  // namespace millwright::mil
