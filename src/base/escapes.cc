#include "base/escapes.h"

#include <charconv>

namespace millwright {

Result<std::string> Unescape(std::string_view text) {
  constexpr std::string_view kNames = "nrtfvab0\\'\"";
  constexpr std::string_view kValues("\n\r\t\f\v\a\b\0\\'\"", kNames.size());
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    const char name = ++i < text.size() ? text[i] : '\0';
    if (const size_t known = kNames.find(name); name != '\0' && known != kNames.npos) {
      out.push_back(kValues[known]);
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = name == 'x' ? text.substr(i + 1, 2) : std::string_view();
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
    if (digits.size() != 2 || end != digits.data() + 2) {
      return BadInput("\"{}\": expected an escape like \\n, \\t, \\\\ or \\x41 after {} bytes",
                      text, i - 1);
    }
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

}  // namespace millwright
