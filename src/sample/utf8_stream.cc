#include "sample/utf8_stream.h"

#include <cstddef>
#include <utility>

namespace millwright::sample {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The length of the character that `lead` begins, or 0 if none does.
size_t CharacterLength(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// Whether `byte` may stand at `position` (1 to 3) after `lead`: the first continuation byte is
// narrower where a longer form, a surrogate or a number above U+10FFFF would result.
bool MayFollow(unsigned char lead, size_t position, unsigned char byte) {
  unsigned char low = 0x80, high = 0xBF;
  if (position == 1) {
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  return byte >= low && byte <= high;
}

}  // namespace

std::string Utf8Stream::Add(std::string_view bytes) {
  held_.append(bytes);
  std::string out;
  size_t at = 0;
  while (at < held_.size()) {
    const auto lead = static_cast<unsigned char>(held_[at]);
    const size_t length = CharacterLength(lead);
    size_t good = length == 0 ? 0 : 1;
    while (good > 0 && good < length && at + good < held_.size() &&
           MayFollow(lead, good, static_cast<unsigned char>(held_[at + good]))) {
      ++good;
    }
    if (good == length && length > 0) {
      out.append(held_, at, length);
      at += length;
    } else if (good > 0 && at + good == held_.size()) {
      break;  // not finished yet
    } else {
      out.append(kReplacement);
      at += good > 0 ? good : 1;
    }
  }
  held_.erase(0, at);
  return out;
}

std::string Utf8Stream::Finish() {
  const bool unfinished = !std::exchange(held_, {}).empty();
  return unfinished ? std::string(kReplacement) : std::string();
}

}  // namespace millwright::sample
