#include "text/pre_tokenizer.h"

#include <array>

namespace millwright::text {
namespace {

enum class Kind { kSpace, kLetter, kDigit, kOther };

constexpr Kind KindOf(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte == ' ' || (byte >= '\t' && byte <= '\r')) return Kind::kSpace;
  if (byte >= '0' && byte <= '9') return Kind::kDigit;
  const unsigned lower = byte | 0x20u;
  if ((lower >= 'a' && lower <= 'z') || byte >= 0x80) return Kind::kLetter;
  return Kind::kOther;
}

constexpr std::array<std::string_view, 7> kContractions = {"'s", "'t",  "'re", "'ve",
                                                           "'m", "'ll", "'d"};

// The end of the run of characters of one kind that begins at `begin`.
size_t RunEnd(std::string_view text, size_t begin) {
  const Kind kind = KindOf(text[begin]);
  size_t end = begin + 1;
  while (end < text.size() && KindOf(text[end]) == kind) ++end;
  return end;
}

}  // namespace

size_t FirstWordLength(std::string_view text) {
  if (text.empty()) return 0;
  for (std::string_view contraction : kContractions) {
    if (text.substr(0, contraction.size()) == contraction) return contraction.size();
  }
  const size_t begin = text[0] == ' ' && text.size() > 1 ? 1 : 0;
  if (KindOf(text[begin]) != Kind::kSpace) return RunEnd(text, begin);
  const size_t end = RunEnd(text, 0);
  return end < text.size() && end > 1 ? end - 1 : end;
}

}  // namespace millwright::text
