// How bytes become a reference into a weight file: a dtype, a length and an offset of 16 bytes,
// then the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "mil/weights.h"

namespace millwright::fuzz {

struct WeightsInput {
  mil::Type type;
  uint64_t offset = 0;
  std::span<const std::byte> file;
};

struct WeightsPrefix {
  uint32_t dtype = 0;
  uint32_t elements = 0;
  uint64_t offset = 0;
};
static_assert(sizeof(WeightsPrefix) == 16);

inline constexpr uint32_t kDTypes = static_cast<uint32_t>(DType::kUint6) + 1;

// False where the bytes are too few.
inline bool ReadInput(const uint8_t* data, size_t size, WeightsInput* input) {
  WeightsPrefix prefix;
  if (size < sizeof(prefix)) return false;
  std::memcpy(&prefix, data, sizeof(prefix));
  input->type = {static_cast<DType>(prefix.dtype % kDTypes), {int64_t{prefix.elements} + 1}};
  if (input->type.dtype == DType::kString) input->type.dtype = DType::kFp16;
  input->offset = prefix.offset;
  input->file = std::as_bytes(std::span(data, size)).subspan(sizeof(prefix));
  return true;
}

// The bytes of which ReadInput makes a reference to `elements` elements of `dtype` at `offset`.
inline std::vector<std::byte> WriteInput(DType dtype, uint32_t elements, uint64_t offset,
                                         std::span<const std::byte> file) {
  const WeightsPrefix prefix{static_cast<uint32_t>(dtype), elements - 1, offset};
  const auto head = std::as_bytes(std::span(&prefix, 1));
  std::vector<std::byte> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), file.begin(), file.end());
  return bytes;
}

}  // namespace millwright::fuzz
