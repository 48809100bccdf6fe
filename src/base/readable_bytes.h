// Sizes as a reader wants them.
#pragma once

#include <cstdint>
#include <string>

namespace millwright {

// "850 B", "12.3 kB", "98.0 MB", "8.62 GB", "1.20 TB": three digits, powers of 1000.
std::string ReadableBytes(uint64_t bytes);

}  // namespace millwright
