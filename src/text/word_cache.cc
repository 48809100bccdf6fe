#include "text/word_cache.h"

#include <algorithm>
#include <cstring>

namespace millwright::text {
namespace {

constexpr size_t kFirstSlots = 1024;  // a power of two
constexpr size_t kFewestBytes = 4096;

uint64_t Load64(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

uint64_t Load32(const char* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

uint64_t Mix(uint64_t hash, uint64_t bits) {
  hash = (hash ^ bits) * 0x9E3779B97F4A7C15ull;
  return hash ^ (hash >> 32);
}

}  // namespace

WordCache::WordCache(size_t max_bytes)
    : slots_(kFirstSlots),
      max_words_(std::max(max_bytes, kFewestBytes) / sizeof(TokenId)),
      mask_(kFirstSlots - 1) {}

// Eight bytes at a time; the last ones may be read twice.
uint64_t WordCache::Hash(std::string_view word) {
  const char* at = word.data();
  const size_t size = word.size();
  uint64_t hash = size;
  if (size >= 8) {
    for (size_t i = 0; i + 8 < size; i += 8) hash = Mix(hash, Load64(at + i));
    hash = Mix(hash, Load64(at + size - 8));
  } else if (size >= 4) {
    hash = Mix(hash, Load32(at) << 32 | Load32(at + size - 4));
  } else {
    const auto byte = [&](size_t i) { return uint64_t{static_cast<unsigned char>(at[i])}; };
    hash = Mix(hash, byte(0) << 16 | byte(size / 2) << 8 | byte(size - 1));
  }
  return Mix(hash, 0);
}

bool WordCache::Holds(const Slot& slot, uint64_t hash, std::string_view word) const {
  return slot.tag == static_cast<uint32_t>(hash >> 32) && slot.size == word.size() &&
         std::memcmp(words_.data() + slot.begin + slot.count, word.data(), word.size()) == 0;
}

void WordCache::Place(const Slot& slot, uint64_t hash) {
  size_t at = hash & mask_;
  while (slots_[at].size != 0) at = (at + 1) & mask_;
  slots_[at] = slot;
}

void WordCache::Insert(std::string_view word, const TokenId* ids, size_t count) {
  if (word.empty() || word.size() > kLongestWord || count > UINT16_MAX) return;
  const size_t padded = (word.size() + sizeof(TokenId) - 1) / sizeof(TokenId);
  if (words_.size() + count + padded > max_words_) Clear();
  if (2 * (used_ + 1) > slots_.size()) Grow();
  const size_t begin = words_.size();
  words_.insert(words_.end(), ids, ids + count);
  words_.resize(begin + count + padded);
  std::memcpy(words_.data() + begin + count, word.data(), word.size());
  const uint64_t hash = Hash(word);
  Place({static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(begin),
         static_cast<uint16_t>(count), static_cast<uint16_t>(word.size())},
        hash);
  ++used_;
}

void WordCache::Grow() {
  const std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.size() * 2, Slot{});
  mask_ = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.size == 0) continue;
    const auto* bytes = reinterpret_cast<const char*>(words_.data() + slot.begin + slot.count);
    Place(slot, Hash({bytes, slot.size}));
  }
}

void WordCache::Clear() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  words_.clear();
  used_ = 0;
}

}  // namespace millwright::text
