#include "base/rng.h"

#include <cmath>
#include <numbers>

namespace millwright {
namespace {
__extension__ using Wide = unsigned __int128;
}  // namespace

std::array<uint32_t, 4> Philox(uint64_t key, uint64_t counter_high, uint64_t counter_low) {
  uint32_t k0 = static_cast<uint32_t>(key);
  uint32_t k1 = static_cast<uint32_t>(key >> 32);
  std::array<uint32_t, 4> c = {
      static_cast<uint32_t>(counter_low), static_cast<uint32_t>(counter_low >> 32),
      static_cast<uint32_t>(counter_high), static_cast<uint32_t>(counter_high >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

uint64_t Rng::Bits(uint64_t index) const {
  const auto words = Philox(seed_, stream_, index);
  return (static_cast<uint64_t>(words[0]) << 32) | words[1];
}

double Rng::Uniform(uint64_t index) const {
  return static_cast<double>(Bits(index) >> 11) * 0x1p-53;
}

uint64_t Rng::Below(uint64_t index, uint64_t bound) const {
  const auto product = static_cast<Wide>(Bits(index)) * bound;
  return static_cast<uint64_t>(product >> 64);
}

double Rng::Normal(uint64_t index) const {
  const auto words = Philox(seed_, stream_, index);
  const uint64_t a = (static_cast<uint64_t>(words[0]) << 32) | words[1];
  const uint64_t b = (static_cast<uint64_t>(words[2]) << 32) | words[3];
  // (0, 1]: the logarithm is finite.
  const double u = (static_cast<double>(a >> 11) + 1.0) * 0x1p-53;
  const double v = static_cast<double>(b >> 11) * 0x1p-53;
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace millwright
