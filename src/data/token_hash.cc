#include "data/token_hash.h"

namespace millwright::data {

void TokenHash::Add(std::span<const int32_t> tokens) {
  size_t i = 0;
  const auto add_one = [&] {
    uint64_t& lane = lanes_[count_ % kLanes];
    lane = (lane ^ static_cast<uint32_t>(tokens[i])) * kPrime;
    ++i;
    ++count_;
  };
  while (i < tokens.size() && count_ % kLanes != 0) add_one();
  const size_t blocks_end = i + (tokens.size() - i) / kLanes * kLanes;
  count_ += blocks_end - i;
  for (; i < blocks_end; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      lanes_[lane] = (lanes_[lane] ^ static_cast<uint32_t>(tokens[i + lane])) * kPrime;
    }
  }
  while (i < tokens.size()) add_one();
}

uint64_t TokenHash::Value() const {
  uint64_t hash = (kBasis ^ count_) * kPrime;
  for (uint64_t lane : lanes_) {
    hash = (hash ^ lane) * kPrime;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace millwright::data
