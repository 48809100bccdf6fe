// Characters of UTF-8, byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millwright::text {

inline bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

inline bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// The bytes of the character that `text` begins with: 1 to 4, or 0 if it begins with none. Source:
// The Unicode Standard, section 3.9, table 3-7.
size_t CharacterSize(std::string_view text);

// The bytes at the front of `text` that are whole characters.
size_t ValidPrefix(std::string_view text);

// Whether `text` begins with a character that more bytes could complete.
bool IsCutCharacter(std::string_view text);

// The code point of the character that `text` begins with; `size` is its CharacterSize, not 0.
char32_t CodePoint(std::string_view text, size_t size);

}  // namespace millwright::text
