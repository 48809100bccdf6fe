#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <utility>

namespace millwright::text {
namespace {

// Steps of one search. Runs of white space of this length are still found, hostile patterns given
// up within a second.
constexpr uint32_t kMatchLimit = 10'000'000;
constexpr size_t kStackStart = size_t{32} << 10, kStackMost = size_t{4} << 20;

// The pattern in PCRE2's words.
Result<std::string> Translate(std::string_view pattern) {
  std::string out;
  bool in_set = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (c == '\\') {
      ++i;
      if (std::string_view("wWbBhH").find(next) != std::string_view::npos && next != '\0') {
        return BadInput("\\{} at {}: differs between Oniguruma and PCRE2", next, i - 1);
      }
      // PCRE2's own \s has U+180E besides.
      if (next == 's' || next == 'S') {
        out.append(next == 's' ? "\\p{White_Space}" : "\\P{White_Space}");
      } else {
        out.push_back(c);
        if (next != '\0') out.push_back(next);
      }
      continue;
    }
    if (in_set && ((c == '[' && next != ':') || (c == '&' && next == '&'))) {
      return BadInput("{} at {}: sets of sets differ between Oniguruma and PCRE2", c, i);
    }
    if (c == '[' && in_set) {  // [:name:]
      const size_t end = pattern.find(":]", i);
      if (end == std::string_view::npos) return BadInput("[: at {}: has no :]", i);
      out.append(pattern.substr(i, end + 2 - i));
      i = end + 1;
      continue;
    }
    if (c == '[') in_set = true;
    if (c == ']') in_set = false;
    out.push_back(c);
  }
  return out;
}

std::string ErrorText(int error) {
  std::array<PCRE2_UCHAR, 256> text = {};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

struct FreeAny {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

PCRE2_SPTR Units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, FreeAny> code;
  uint32_t lookbehind = 0;
};

struct Regex::Matcher::Data {
  const pcre2_code* code;
  std::unique_ptr<pcre2_match_data, FreeAny> match;
  std::unique_ptr<pcre2_match_context, FreeAny> context;
  std::unique_ptr<pcre2_jit_stack, FreeAny> stack;
};

Regex::Regex(std::unique_ptr<Code> code) : code_(std::move(code)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

size_t Regex::lookbehind() const { return code_->lookbehind; }

Result<Regex> Regex::Compile(std::string_view pattern) {
  const auto translated = Translate(pattern);
  if (!translated) return translated.error().In("pattern");
  int error = 0;
  PCRE2_SIZE at = 0;
  auto code = std::make_unique<Code>();
  code->code.reset(pcre2_compile(Units(*translated), translated->size(), PCRE2_UTF | PCRE2_UCP,
                                 &error, &at, nullptr));
  if (code->code == nullptr) return BadInput("pattern: {} at {}", ErrorText(error), at);
  uint32_t matches_empty = 0;
  pcre2_pattern_info(code->code.get(), PCRE2_INFO_MATCHEMPTY, &matches_empty);
  if (matches_empty != 0) return BadInput("pattern: matches the empty string");
  pcre2_pattern_info(code->code.get(), PCRE2_INFO_MAXLOOKBEHIND, &code->lookbehind);
  // Where this machine has no just-in-time compiler, pcre2_match interprets.
  (void)pcre2_jit_compile(code->code.get(), PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
  return Regex(std::move(code));
}

Regex::Matcher::Matcher(const Regex& regex) : data_(std::make_unique<Data>()) {
  data_->code = regex.code_->code.get();
  data_->match.reset(pcre2_match_data_create_from_pattern(data_->code, nullptr));
  data_->context.reset(pcre2_match_context_create(nullptr));
  data_->stack.reset(pcre2_jit_stack_create(kStackStart, kStackMost, nullptr));
  pcre2_set_match_limit(data_->context.get(), kMatchLimit);
  pcre2_jit_stack_assign(data_->context.get(), nullptr, data_->stack.get());
}

Regex::Matcher::Matcher(Matcher&&) noexcept = default;
Regex::Matcher::~Matcher() = default;

Result<std::optional<Regex::Matcher::Match>> Regex::Matcher::Find(std::string_view text,
                                                                  size_t from, bool last) {
  const uint32_t options = PCRE2_NO_UTF_CHECK | (last ? 0u : PCRE2_PARTIAL_HARD);
  const int found = pcre2_match(data_->code, Units(text), text.size(), from, options,
                                data_->match.get(), data_->context.get());
  if (found == PCRE2_ERROR_NOMATCH || found == PCRE2_ERROR_PARTIAL) {
    return std::optional<Match>();
  }
  if (found < 0) return BadInput("the pre-tokenizer's pattern gives up: {}", ErrorText(found));
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data_->match.get());
  return std::optional<Match>({offsets[0], offsets[1]});
}

}  // namespace millwright::text
