#include "text/special_tokens.h"

#include <algorithm>
#include <cstring>

namespace millwright::text {

SpecialTokens::SpecialTokens(std::vector<std::pair<std::string, TokenId>> tokens)
    : tokens_(std::move(tokens)) {
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [content, id] : tokens_) {
    begins_[static_cast<unsigned char>(content[0])] = true;
    only_first_ = static_cast<unsigned char>(content[0]);
  }
  if (std::count(begins_.begin(), begins_.end(), true) > 1) only_first_ = -1;
}

SpecialTokens::Match SpecialTokens::Find(std::string_view text, size_t from, size_t limit) const {
  if (tokens_.empty()) return {};
  limit = std::min(limit, text.size());
  for (size_t i = from; i < limit; ++i) {
    if (only_first_ >= 0) {
      const void* found = std::memchr(text.data() + i, only_first_, limit - i);
      if (found == nullptr) return {};
      i = static_cast<size_t>(static_cast<const char*>(found) - text.data());
    }
    if (!begins_[static_cast<unsigned char>(text[i])]) continue;
    for (const auto& [content, id] : tokens_) {
      if (text.compare(i, content.size(), content) == 0) return {i, i + content.size(), id};
    }
  }
  return {};
}

}  // namespace millwright::text
