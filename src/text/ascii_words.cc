#include "text/ascii_words.h"

#include <array>
#include <cstdint>

namespace millwright::text {
namespace {

enum class Kind : uint8_t { kLetter, kDigit, kOther, kSpace, kNewline, kNotAscii };

constexpr Kind Classify(size_t byte) {
  if (byte >= 0x80) return Kind::kNotAscii;
  if (byte == '\n' || byte == '\r') return Kind::kNewline;
  if (byte == ' ' || (byte >= '\t' && byte <= '\r')) return Kind::kSpace;
  if (byte >= '0' && byte <= '9') return Kind::kDigit;
  const size_t lower = byte | 0x20u;
  return lower >= 'a' && lower <= 'z' ? Kind::kLetter : Kind::kOther;
}

constexpr std::array<Kind, 256> MakeKinds() {
  std::array<Kind, 256> kinds = {};
  for (size_t byte = 0; byte < kinds.size(); ++byte) kinds[byte] = Classify(byte);
  return kinds;
}
constexpr auto kKinds = MakeKinds();

bool IsSpace(Kind kind) { return kind == Kind::kSpace || kind == Kind::kNewline; }

// A text with an end that is not ASCII.
class Ascii {
 public:
  explicit Ascii(std::string_view text) : text_(text) {}

  Kind At(size_t i) const {
    return i < text_.size() ? kKinds[static_cast<unsigned char>(text_[i])] : Kind::kNotAscii;
  }
  char operator[](size_t i) const { return text_[i]; }

  // The end of the run of `kind` from `i` on.
  size_t RunEnd(size_t i, Kind kind) const {
    while (At(i) == kind) ++i;
    return i;
  }

  // The result for a word that ends at `end` because of the character there.
  size_t Known(size_t end) const { return At(end) == Kind::kNotAscii ? 0 : end; }

 private:
  std::string_view text_;
};

// The length of 's 't 're 've 'm 'll or 'd at text[i], an apostrophe; 0 if there is none, or
// kUnknown.
constexpr size_t kUnknown = 99;

size_t ContractionLength(const Ascii& text, size_t i, char case_bit) {
  if (text.At(i + 1) == Kind::kNotAscii) return kUnknown;
  const auto letter = [&](size_t at) { return static_cast<char>(text[at] | case_bit); };
  const char first = letter(i + 1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (first != 'r' && first != 'v' && first != 'l') return 0;
  if (text.At(i + 2) == Kind::kNotAscii) return kUnknown;
  return letter(i + 2) == (first == 'l' ? 'l' : 'e') ? 3 : 0;
}

// \s+(?!\S)|\s+ at a run of white space [from, end), something after it.
size_t SpacesEnd(size_t from, size_t end) { return end - from > 1 ? end - 1 : end; }

size_t WhiteEnd(const Ascii& text, size_t i) {
  while (IsSpace(text.At(i))) ++i;
  return i;
}

template <size_t kMostDigits>
size_t TiktokenWordEnd(std::string_view whole, size_t from) {
  const Ascii text(whole);
  const Kind kind = text.At(from);
  if (kind == Kind::kLetter) return text.Known(text.RunEnd(from, Kind::kLetter));
  if (kind == Kind::kNotAscii) return 0;
  if (text[from] == '\'') {
    const size_t length = ContractionLength(text, from, 0x20);
    if (length != 0) return length == kUnknown ? 0 : from + length;
  }
  const Kind next = text.At(from + 1);
  if (next == Kind::kNotAscii && kind != Kind::kDigit) return 0;
  if (kind == Kind::kDigit) {
    size_t end = from + 1;
    while (end - from < kMostDigits && text.At(end) == Kind::kDigit) ++end;
    return end - from == kMostDigits ? end : text.Known(end);
  }
  if (next == Kind::kLetter && kind != Kind::kNewline) {
    return text.Known(text.RunEnd(from + 1, Kind::kLetter));
  }
  if (kind == Kind::kOther || (text[from] == ' ' && next == Kind::kOther)) {
    const size_t end = text.RunEnd(from + 1, Kind::kOther);
    if (text.At(end) == Kind::kNotAscii) return 0;
    return text.Known(text.RunEnd(end, Kind::kNewline));
  }
  const size_t end = WhiteEnd(text, from);
  if (text.At(end) == Kind::kNotAscii) return 0;
  for (size_t i = end; i > from; --i) {
    if (text.At(i - 1) == Kind::kNewline) return i;
  }
  return SpacesEnd(from, end);
}

}  // namespace

size_t AsciiGpt2WordEnd(std::string_view whole, size_t from) {
  const Ascii text(whole);
  if (text[from] == '\'') {
    const size_t length = ContractionLength(text, from, 0);
    if (length != 0) return length == kUnknown ? 0 : from + length;
  }
  const size_t begin = text[from] == ' ' ? from + 1 : from;
  const Kind kind = text.At(begin);
  if (kind == Kind::kNotAscii) return 0;
  if (!IsSpace(kind)) return text.Known(text.RunEnd(begin, kind));
  const size_t end = WhiteEnd(text, from);
  return text.At(end) == Kind::kNotAscii ? 0 : SpacesEnd(from, end);
}

size_t AsciiQwenWordEnd(std::string_view text, size_t from) {
  return TiktokenWordEnd<1>(text, from);
}

size_t AsciiLlama3WordEnd(std::string_view text, size_t from) {
  return TiktokenWordEnd<3>(text, from);
}

}  // namespace millwright::text
