// The checksum of files: XXH3, 64 bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace millwright::checkpoint {

// A running checksum; detects damage, not forgery.
class Hasher {
 public:
  Hasher();
  void Update(std::span<const std::byte> bytes);
  uint64_t Digest() const;

 private:
  struct State;
  struct Free {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Free> state_;
};

uint64_t HashBytes(std::span<const std::byte> bytes);

}  // namespace millwright::checkpoint
