// Regular expressions over UTF-8, by PCRE2.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright::text {

// A compiled expression; immutable, and safe to use from several threads.
class Regex {
 public:
  // `pattern` is in the syntax of Oniguruma, which Hugging Face's tokenizer.json uses, as far as it
  // is that of PCRE2 too: \s and \S are the Unicode property White_Space, \d is Nd. Bad input: a
  // pattern that does not compile (with the place), one that matches the empty string, and what
  // would mean something else to Oniguruma (\w \W \b \B \h \H, nested sets, && in a set).
  static Result<Regex> Compile(std::string_view pattern);

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // How many characters before a match can matter to it.
  size_t lookbehind() const;

  // What one thread needs to search. Must not outlive the expression.
  class Matcher {
   public:
    explicit Matcher(const Regex& regex);
    Matcher(Matcher&&) noexcept;
    ~Matcher();

    struct Match {
      size_t begin, end;
    };
    // The first match in text[from, ...); `text` is valid UTF-8. Unless `last`, more text may
    // follow: then there is no match while its end, or whether it is one, depends on that. Bad
    // input: the search is given up, since the pattern tries too many ways to match.
    Result<std::optional<Match>> Find(std::string_view text, size_t from, bool last);

   private:
    struct Data;
    std::unique_ptr<Data> data_;
  };

 private:
  struct Code;
  explicit Regex(std::unique_ptr<Code> code);
  std::unique_ptr<Code> code_;
};

}  // namespace millwright::text
