// Where byte-level BPE cuts text into words before it merges.
#pragma once

#include <cstddef>
#include <string_view>

namespace millwright::text {

// The length in bytes of the first word of `text`; 0 only if it is empty. The rules are those of
// GPT-2's expression
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// in the first alternative that matches: a contraction; a run of letters, of digits, or of other
// characters, each with one space before it; white space, whose last character is left to the next
// word if one follows. Bytes above 0x7F count as letters, so that the cuts equal GPT-2's on ASCII
// text, and other text stays in whole characters.
size_t FirstWordLength(std::string_view text);

}  // namespace millwright::text
