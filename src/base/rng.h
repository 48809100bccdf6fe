// Counter-based random numbers: a value is a function of (seed, stream, index) and nothing else, so
// any element can be drawn again, in any order, on any thread.
#pragma once

#include <array>
#include <cstdint>

namespace millwright {

// Philox4x32-10. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
std::array<uint32_t, 4> Philox(uint64_t key, uint64_t counter_high, uint64_t counter_low);

// One stream of random numbers, addressed by index.
class Rng {
 public:
  Rng(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}

  uint64_t Bits(uint64_t index) const;

  // Uniform in [0, 1), 53 bits.
  double Uniform(uint64_t index) const;

  // Uniform integer in [0, bound), without modulo bias for bounds below 2^32 to within 2^-32.
  uint64_t Below(uint64_t index, uint64_t bound) const;

  // Standard normal, by Box and Muller.
  double Normal(uint64_t index) const;

 private:
  uint64_t seed_;
  uint64_t stream_;
};

// A stream id from a name (FNV-1a, 64 bit): draws for one tensor do not depend on the others.
constexpr uint64_t StreamId(const char* name) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (; *name != 0; ++name) {
    hash = (hash ^ static_cast<unsigned char>(*name)) * 0x100000001b3ull;
  }
  return hash;
}

}  // namespace millwright
