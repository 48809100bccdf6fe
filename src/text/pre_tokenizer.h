// Where byte-level BPE cuts text into words before it merges.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "text/regex.h"

namespace millwright::text {

// GPT-2's expression. Source: encoder.py of GPT-2.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Qwen's, of Qwen2 and Qwen3. Source: their tokenizer.json.
inline constexpr std::string_view kQwenPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Llama 3's: as Qwen's, but up to three digits make a word. Source: its tokenizer.json.
inline constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Words are the matches of an expression, one after the other, and whatever lies between two
// matches. Immutable, and safe to use from several threads.
class PreTokenizer {
 public:
  // Bad input: see Regex::Compile.
  static Result<PreTokenizer> Create(std::string_view pattern);

  const std::string& pattern() const { return pattern_; }

  // Finds words, one thread at a time. Must not outlive the pre-tokenizer.
  class Scanner {
   public:
    // `shortcut`: words of ASCII are found without the expression where it is one of those above.
    // For tests; the words are the same.
    explicit Scanner(const PreTokenizer& pre_tokenizer, bool shortcut = true);

    // The end of the word that begins at `from` in `text`, which is valid UTF-8. Unless `last`,
    // more text may follow: `from` itself if the end depends on that. Bad input: see Matcher::Find.
    Result<size_t> WordEnd(std::string_view text, size_t from, bool last);

   private:
    Regex::Matcher matcher_;
    size_t (*shortcut_)(std::string_view text, size_t from);
  };

  // How many bytes before a word can matter to its end.
  size_t context() const { return 4 * regex_.lookbehind(); }

 private:
  PreTokenizer(std::string_view pattern, Regex regex)
      : pattern_(pattern), regex_(std::move(regex)) {}

  std::string pattern_;
  Regex regex_;
};

}  // namespace millwright::text
