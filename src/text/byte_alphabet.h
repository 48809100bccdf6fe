// GPT-2's printable alphabet for bytes, in which byte-level BPE files spell their tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millwright::text {

// `bytes` with every byte written as one printable character (UTF-8): bytes 0x21-0x7E, 0xA1-0xAC
// and 0xAE-0xFF stand for the code point of the same number, the other 68, in order, for U+0100 and
// up (a space is U+0120). Source: bytes_to_unicode in GPT-2's encoder.py.
std::string ToByteAlphabet(std::string_view bytes);

// The inverse; nothing if a character is outside the alphabet or not UTF-8.
std::optional<std::string> FromByteAlphabet(std::string_view text);

}  // namespace millwright::text
