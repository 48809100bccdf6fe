#include "base/readable_bytes.h"

#include <gtest/gtest.h>

#include <limits>
#include <string_view>
#include <utility>

namespace millwright {
namespace {

TEST(ReadableBytes, HasThreeDigitsAndAUnit) {
  const std::pair<uint64_t, std::string_view> cases[] = {
      {0, "0 B"},
      {999, "999 B"},
      {1000, "1.00 kB"},
      {9994, "9.99 kB"},
      {9996, "10.0 kB"},
      {99'960, "100 kB"},
      {999'499, "999 kB"},
      {999'500, "1.00 MB"},
      {1'234'567, "1.23 MB"},
      {98'000'000, "98.0 MB"},
      {8'620'000'000, "8.62 GB"},
      {12'500'000'000'000, "12.5 TB"},
      {std::numeric_limits<uint64_t>::max(), "18446744 TB"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(ReadableBytes(bytes), text) << bytes;
}

}  // namespace
}  // namespace millwright
