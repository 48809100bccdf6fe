// A sequence of tokens that training or evaluation reads windows from.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace millwright::data {

// Immutable, and safe to read from several threads.
class TokenSource {
 public:
  virtual ~TokenSource() = default;

  // The number of tokens.
  virtual int64_t size() const = 0;

  // Copies tokens [offset, offset + out.size()), which must lie inside [0, size()).
  virtual void Copy(int64_t offset, std::span<int32_t> out) const = 0;

  // A hash of the token values and their number, whatever the storage: equal data, equal hash. See
  // token_hash.h.
  virtual uint64_t hash() const = 0;

  // Where the tokens come from, for messages: a file name, or words.
  virtual const std::string& name() const = 0;
};

}  // namespace millwright::data
