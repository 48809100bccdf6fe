// The hash by which a run recognises its data.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace millwright::data {

// FNV-1a on 32-bit tokens in eight interleaved lanes (token i belongs to lane i mod 8), the lanes
// and the count folded by a last FNV-1a and a finalizer: fast, and a function of the values alone.
class TokenHash {
 public:
  // Adds tokens; how a sequence is divided among calls does not matter.
  void Add(std::span<const int32_t> tokens);

  uint64_t Value() const;

 private:
  static constexpr uint64_t kBasis = 0xcbf29ce484222325ull;
  static constexpr uint64_t kPrime = 0x100000001b3ull;
  static constexpr size_t kLanes = 8;

  std::array<uint64_t, kLanes> lanes_ = {kBasis,     kBasis + 1, kBasis + 2, kBasis + 3,
                                         kBasis + 4, kBasis + 5, kBasis + 6, kBasis + 7};
  uint64_t count_ = 0;
};

}  // namespace millwright::data
