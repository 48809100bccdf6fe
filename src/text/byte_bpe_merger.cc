#include "text/byte_bpe_merger.h"

namespace millwright::text {

void ByteBpe::Merger::Append(std::string_view word, std::vector<TokenId>& ids) {
  if (bpe_.model_.ignore_merges) {
    if (const auto whole = bpe_.ids_.find(word); whole != bpe_.ids_.end()) {
      ids.push_back(whole->second);
      return;
    }
  }
  symbols_.clear();
  for (size_t i = 0; i < word.size(); ++i) {
    const auto at = static_cast<int32_t>(i);
    symbols_.push_back({bpe_.byte_ids_[static_cast<unsigned char>(word[i])], at - 1, at + 1});
  }
  symbols_.back().next = -1;
  for (size_t i = 0; i + 1 < word.size(); ++i) Consider(static_cast<int32_t>(i));
  while (!candidates_.empty()) {
    const Candidate best = candidates_.top();
    candidates_.pop();
    Apply(best);
  }
  for (int32_t i = 0; i >= 0; i = symbols_[static_cast<size_t>(i)].next) {
    ids.push_back(symbols_[static_cast<size_t>(i)].id);
  }
}

void ByteBpe::Merger::Consider(int32_t left) {
  const int32_t right = left < 0 ? -1 : symbols_[static_cast<size_t>(left)].next;
  if (right < 0) return;
  const TokenId a = symbols_[static_cast<size_t>(left)].id;
  const TokenId b = symbols_[static_cast<size_t>(right)].id;
  if (const Merge* merge = bpe_.FindMerge(a, b)) candidates_.emplace(merge->rank, left, a, b);
}

void ByteBpe::Merger::Apply(const Candidate& candidate) {
  const auto [rank, at, a, b] = candidate;
  Symbol& left = symbols_[static_cast<size_t>(at)];
  // Stale if either symbol has been merged since.
  if (left.id != a || left.next < 0) return;
  Symbol& right = symbols_[static_cast<size_t>(left.next)];
  if (right.id != b) return;
  left.id = bpe_.FindMerge(a, b)->result;
  right.id = -1;
  left.next = right.next;
  if (left.next >= 0) symbols_[static_cast<size_t>(left.next)].previous = at;
  Consider(left.previous);
  Consider(at);
}

}  // namespace millwright::text
