#include "telemetry/json_scanner.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millwright::telemetry {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

// There is hardly ever any.
void JsonScanner::SkipSpace() {
  while (!rest_.empty() && IsSpace(rest_.front())) rest_.remove_prefix(1);
}

bool JsonScanner::Take(char c) {
  if (!rest_.starts_with(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

// A value without values in it.
void JsonScanner::Add(Node node) {
  node.next = static_cast<uint32_t>(tape_.nodes_.size()) + 1;
  tape_.nodes_.push_back(node);
}

bool JsonScanner::Scan() {
  SkipSpace();
  if (!Value(0)) return false;
  SkipSpace();
  return rest_.empty();
}

bool JsonScanner::Value(int depth) {
  if (rest_.empty() || depth > JsonTape::kDeepest) return false;
  switch (rest_.front()) {
    case '{':
      return Items(JsonKind::kObject, '}', depth);
    case '[':
      return Items(JsonKind::kArray, ']', depth);
    case '"':
      return String();
    case 't':
      return Word("true", JsonKind::kBool);
    case 'f':
      return Word("false", JsonKind::kBool);
    case 'n':
      return Word("null", JsonKind::kNull);
    default:
      return Number();
  }
}

// What is in an object or an array.
bool JsonScanner::Items(JsonKind kind, char close, int depth) {
  const uint32_t begin = offset();
  const size_t at = tape_.nodes_.size();
  tape_.nodes_.push_back({.kind = kind, .begin = begin});
  rest_.remove_prefix(1);
  SkipSpace();
  if (!Take(close)) {
    do {
      SkipSpace();
      if (!(kind == JsonKind::kObject ? Field(depth) : Value(depth + 1))) return false;
      SkipSpace();
    } while (Take(','));
    if (!Take(close)) return false;
  }
  tape_.nodes_[at].size = offset() - begin;
  tape_.nodes_[at].next = static_cast<uint32_t>(tape_.nodes_.size());
  return true;
}

bool JsonScanner::Field(int depth) {
  if (!rest_.starts_with('"') || !String()) return false;
  SkipSpace();
  if (!Take(':')) return false;
  SkipSpace();
  return Value(depth + 1);
}

bool JsonScanner::String() {
  const uint32_t begin = offset() + 1;
  bool plain = true;
  size_t i = 1;
  for (; i < rest_.size() && rest_[i] != '"'; ++i) {
    const auto c = static_cast<unsigned char>(rest_[i]);
    if (c < 0x20) return false;
    plain &= c < 0x80 && c != '\\';
    if (c == '\\') ++i;
  }
  if (i >= rest_.size()) return false;
  // Escapes and UTF-8 are rare, and the library knows all about them.
  if (!plain && !nlohmann::json::accept(rest_.substr(0, i + 1))) return false;
  Add({.kind = JsonKind::kString,
       .plain = plain,
       .begin = begin,
       .size = static_cast<uint32_t>(i - 1)});
  rest_.remove_prefix(i + 1);
  return true;
}

bool JsonScanner::Digits() {
  const auto* end = std::find_if_not(rest_.begin(), rest_.end(), IsDigit);
  const auto count = static_cast<size_t>(end - rest_.begin());
  rest_.remove_prefix(count);
  return count > 0;
}

bool JsonScanner::Number() {
  const uint32_t begin = offset();
  Take('-');
  if (!Take('0') && !Digits()) return false;
  if (Take('.') && !Digits()) return false;
  if (Take('e') || Take('E')) {
    if (!Take('+')) Take('-');
    if (!Digits()) return false;
  }
  Add({.kind = JsonKind::kNumber, .begin = begin, .size = offset() - begin});
  return true;
}

bool JsonScanner::Word(std::string_view word, JsonKind kind) {
  if (!rest_.starts_with(word)) return false;
  Add({.kind = kind, .begin = offset(), .size = static_cast<uint32_t>(word.size())});
  rest_.remove_prefix(word.size());
  return true;
}

}  // namespace millwright::telemetry
