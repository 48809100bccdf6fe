// The checksum of TensorFlow's record files.
#pragma once

#include <cstdint>
#include <string_view>

namespace millwright::telemetry {

// CRC-32C (Castagnoli). Source: RFC 3720, appendix B.4, whose vectors the test holds.
uint32_t Crc32c(std::string_view bytes);

}  // namespace millwright::telemetry
