// The words of well-known pre-tokenizers in ASCII text, without their regular expressions.
#pragma once

#include <cstddef>
#include <string_view>

namespace millwright::text {

// Each gives the end of the word at text[from], from < text.size(), as the expression of that name
// in pre_tokenizer.h has it; or 0 where the word, or what decides on its end, is not all ASCII or
// lies at the end of the text.
size_t AsciiGpt2WordEnd(std::string_view text, size_t from);
size_t AsciiQwenWordEnd(std::string_view text, size_t from);
size_t AsciiLlama3WordEnd(std::string_view text, size_t from);

}  // namespace millwright::text
