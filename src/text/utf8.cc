#include "text/utf8.h"

#include <algorithm>
#include <cstring>

namespace millwright::text {
namespace {

struct Lead {
  size_t size = 0;                        // of the character; 0: no character begins so
  unsigned char low = 0x80, high = 0xBF;  // the range of its second byte
};

Lead LeadOf(unsigned char byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2 || byte > 0xF4) return {};
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {4};
}

// How many bytes at the front of `text` fit a character of this lead.
size_t FittingBytes(std::string_view text, const Lead& lead) {
  if (lead.size == 0) return 0;
  const size_t most = std::min(lead.size, text.size());
  if (most < 2) return most;
  const auto second = static_cast<unsigned char>(text[1]);
  if (second < lead.low || second > lead.high) return 1;
  size_t count = 2;
  while (count < most && IsContinuation(text[count])) ++count;
  return count;
}

}  // namespace

size_t CharacterSize(std::string_view text) {
  if (text.empty()) return 0;
  if (IsAscii(text[0])) return 1;
  const Lead lead = LeadOf(static_cast<unsigned char>(text[0]));
  return FittingBytes(text, lead) == lead.size ? lead.size : 0;
}

size_t ValidPrefix(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080ull;
  size_t at = 0;
  while (at < text.size()) {
    uint64_t eight = kHighBits;
    if (text.size() - at >= sizeof(eight)) std::memcpy(&eight, text.data() + at, sizeof(eight));
    if ((eight & kHighBits) == 0) {
      at += sizeof(eight);
      continue;
    }
    const size_t size = CharacterSize(text.substr(at));
    if (size == 0) break;
    at += size;
  }
  return at;
}

bool IsCutCharacter(std::string_view text) {
  if (text.empty()) return false;
  const Lead lead = LeadOf(static_cast<unsigned char>(text[0]));
  return text.size() < lead.size && FittingBytes(text, lead) == text.size();
}

char32_t CodePoint(std::string_view text, size_t size) {
  constexpr unsigned kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t point = static_cast<unsigned char>(text[0]) & kLeadBits[size];
  for (size_t i = 1; i < size; ++i) {
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  }
  return point;
}

}  // namespace millwright::text
