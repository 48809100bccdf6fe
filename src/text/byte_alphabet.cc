#include "text/byte_alphabet.h"

#include <array>
#include <cstdint>

namespace millwright::text {
namespace {

constexpr bool StandsForItself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// The code point of each byte; all are below U+0144.
constexpr std::array<uint16_t, 256> MakePointOfByte() {
  std::array<uint16_t, 256> points = {};
  uint16_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    points[static_cast<size_t>(byte)] =
        StandsForItself(byte) ? static_cast<uint16_t>(byte) : next++;
  }
  return points;
}
constexpr auto kPointOfByte = MakePointOfByte();
constexpr size_t kAlphabetEnd = 0x144;

// The byte of each code point, or -1.
constexpr std::array<int16_t, kAlphabetEnd> MakeBytes() {
  std::array<int16_t, kAlphabetEnd> bytes = {};
  for (auto& byte : bytes) byte = -1;
  for (size_t byte = 0; byte < 256; ++byte) bytes[kPointOfByte[byte]] = static_cast<int16_t>(byte);
  return bytes;
}
constexpr auto kBytes = MakeBytes();

}  // namespace

std::string ToByteAlphabet(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) {
    const unsigned point = kPointOfByte[byte];
    if (point < 0x80) {
      out.push_back(static_cast<char>(point));
    } else {
      out.push_back(static_cast<char>(0xC0u | (point >> 6)));
      out.push_back(static_cast<char>(0x80u | (point & 0x3Fu)));
    }
  }
  return out;
}

std::optional<std::string> FromByteAlphabet(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned point = static_cast<unsigned char>(text[i]);
    if (point >= 0x80) {
      // Two-byte sequences reach U+07FF: the whole alphabet.
      if ((point & 0xE0u) != 0xC0u || i + 1 >= text.size()) return std::nullopt;
      const unsigned low = static_cast<unsigned char>(text[++i]);
      if ((low & 0xC0u) != 0x80u) return std::nullopt;
      point = ((point & 0x1Fu) << 6) | (low & 0x3Fu);
      if (point < 0x80) return std::nullopt;
    }
    if (point >= kAlphabetEnd || kBytes[point] < 0) return std::nullopt;
    out.push_back(static_cast<char>(kBytes[point]));
  }
  return out;
}

}  // namespace millwright::text
