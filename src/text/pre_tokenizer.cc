#include "text/pre_tokenizer.h"

#include "text/ascii_words.h"

namespace millwright::text {

Result<PreTokenizer> PreTokenizer::Create(std::string_view pattern) {
  auto regex = Regex::Compile(pattern);
  if (!regex) return regex.error();
  return PreTokenizer(pattern, *std::move(regex));
}

PreTokenizer::Scanner::Scanner(const PreTokenizer& pre_tokenizer, bool shortcut)
    : matcher_(pre_tokenizer.regex_), shortcut_(nullptr) {
  if (!shortcut) return;
  if (pre_tokenizer.pattern_ == kGpt2Pattern) shortcut_ = AsciiGpt2WordEnd;
  if (pre_tokenizer.pattern_ == kQwenPattern) shortcut_ = AsciiQwenWordEnd;
  if (pre_tokenizer.pattern_ == kLlama3Pattern) shortcut_ = AsciiLlama3WordEnd;
}

Result<size_t> PreTokenizer::Scanner::WordEnd(std::string_view text, size_t from, bool last) {
  if (shortcut_ != nullptr) {
    if (const size_t end = shortcut_(text, from); end != 0) return end;
  }
  const auto match = matcher_.Find(text, from, last);
  if (!match) return match.error();
  if (!*match) return last ? text.size() : from;
  return (*match)->begin > from ? (*match)->begin : (*match)->end;
}

}  // namespace millwright::text
