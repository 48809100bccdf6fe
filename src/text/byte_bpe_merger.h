// Merges the bytes of one word of a byte-level BPE.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <tuple>
#include <vector>

#include "text/byte_bpe.h"

namespace millwright::text {

class ByteBpe::Merger {
 public:
  explicit Merger(const ByteBpe& bpe) : bpe_(bpe) {}

  // Appends the ids of `word`, which is not empty.
  void Append(std::string_view word, std::vector<TokenId>& ids);

 private:
  // One symbol of the word at hand; merged symbols are unlinked (id -1).
  struct Symbol {
    TokenId id;
    int32_t previous;
    int32_t next;  // -1 at the ends
  };
  // (rank, position of the left symbol, left id, right id)
  using Candidate = std::tuple<int32_t, int32_t, TokenId, TokenId>;

  void Consider(int32_t left);
  void Apply(const Candidate& candidate);

  const ByteBpe& bpe_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace millwright::text
