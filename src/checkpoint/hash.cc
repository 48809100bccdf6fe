#include "checkpoint/hash.h"

#include <xxhash.h>

namespace millwright::checkpoint {

struct Hasher::State {
  XXH3_state_t* xxh = XXH3_createState();
};

void Hasher::Free::operator()(State* state) const {
  XXH3_freeState(state->xxh);
  delete state;
}

Hasher::Hasher() : state_(new State) { XXH3_64bits_reset(state_->xxh); }

void Hasher::Update(std::span<const std::byte> bytes) {
  XXH3_64bits_update(state_->xxh, bytes.data(), bytes.size());
}

uint64_t Hasher::Digest() const { return XXH3_64bits_digest(state_->xxh); }

uint64_t HashBytes(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace millwright::checkpoint
