// Tokens that are found in text whole, before it is cut into words.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer.h"

namespace millwright::text {

class SpecialTokens {
 public:
  struct Match {
    size_t begin = std::string_view::npos;  // npos: there is none
    size_t end = std::string_view::npos;
    TokenId id = -1;
  };

  SpecialTokens() = default;
  // Texts (not empty) and their ids.
  explicit SpecialTokens(std::vector<std::pair<std::string, TokenId>> tokens);

  // The leftmost special token that begins in text[from, limit); the longest if several begin
  // there.
  Match Find(std::string_view text, size_t from, size_t limit = std::string_view::npos) const;

  // The size in bytes of the longest; 0 if there are none.
  size_t longest() const { return tokens_.empty() ? 0 : tokens_.front().first.size(); }

 private:
  std::vector<std::pair<std::string, TokenId>> tokens_;  // longest first
  std::array<bool, 256> begins_ = {};                    // by first byte
  int only_first_ = -1;  // the first byte of them all, if it is the same
};

}  // namespace millwright::text
