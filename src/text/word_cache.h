// The ids of words that an encoder has met.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace millwright::text {

// A hash table from the bytes of a word to its ids, by open addressing. Words and ids lie together
// in one block of memory, which is emptied when it is full: text has few distinct words that are
// frequent, and those come back at once. Long words are not kept.
class WordCache {
 public:
  // Holds words of at most `max_bytes` in all, with their ids; at least a few kilobytes.
  explicit WordCache(size_t max_bytes = size_t{16} << 20);

  // Appends the ids of `word`, which is not empty, if they are known, and says whether they are.
  bool Append(std::string_view word, std::vector<TokenId>& ids) const {
    if (word.size() > kLongestWord) return false;
    const uint64_t hash = Hash(word);
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.size == 0) return false;
      if (!Holds(slot, hash, word)) continue;
      const TokenId* first = words_.data() + slot.begin;
      ids.insert(ids.end(), first, first + slot.count);
      return true;
    }
  }

  // Remembers the ids of a word that is not known yet.
  void Insert(std::string_view word, const TokenId* ids, size_t count);

 private:
  static constexpr size_t kLongestWord = 64;

  struct Slot {
    uint32_t tag = 0;    // upper half of the hash
    uint32_t begin = 0;  // where in words_ the ids begin; the bytes follow them
    uint16_t count = 0;  // of ids
    uint16_t size = 0;   // of bytes; 0: the slot is free
  };

  static uint64_t Hash(std::string_view word);
  bool Holds(const Slot& slot, uint64_t hash, std::string_view word) const;
  void Place(const Slot& slot, uint64_t hash);
  void Grow();
  void Clear();

  std::vector<Slot> slots_;
  std::vector<TokenId> words_;  // for each word its ids, then its bytes, padded to whole entries
  size_t max_words_;            // the largest size of words_
  size_t used_ = 0;
  size_t mask_ = 0;
};

}  // namespace millwright::text
