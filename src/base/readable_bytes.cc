#include "base/readable_bytes.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace millwright {

std::string ReadableBytes(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  constexpr std::array<std::string_view, 4> kUnits = {"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes) / 1e3;
  size_t unit = 0;
  // 999.5 and more would be four digits.
  for (; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) value /= 1e3;
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", value, decimals, kUnits[unit]);
}

}  // namespace millwright
