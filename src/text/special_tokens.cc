#include "text/special_tokens.h"

#include <algorithm>

namespace millwright::text {

SpecialTokens::SpecialTokens(std::vector<std::pair<std::string, TokenId>> tokens)
    : tokens_(std::move(tokens)) {
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [content, id] : tokens_) begins_[static_cast<unsigned char>(content[0])] = true;
}

SpecialTokens::Match SpecialTokens::Find(std::string_view text, size_t from) const {
  if (tokens_.empty()) return {};
  for (size_t i = from; i < text.size(); ++i) {
    if (!begins_[static_cast<unsigned char>(text[i])]) continue;
    for (const auto& [content, id] : tokens_) {
      if (text.compare(i, content.size(), content) == 0) return {i, i + content.size(), id};
    }
  }
  return {};
}

}  // namespace millwright::text
