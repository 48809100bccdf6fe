#include "base/page_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/aligned.h"

namespace millwright {
namespace {

constexpr size_t kMega = size_t{1} << 20;

bool AllZero(const std::byte* part, size_t bytes) {
  return std::all_of(part, part + bytes, [](std::byte b) { return b == std::byte{0}; });
}

// Filled each with a number of its own, parts keep theirs: none reaches into another.
TEST(PageBlocks, PartsAreZeroAlignedAndApart) {
  PageBlocks blocks;
  std::vector<std::pair<std::shared_ptr<std::byte>, size_t>> parts;
  for (const size_t bytes : {size_t{1}, size_t{64}, size_t{65}, 3 * kMega, 3 * kMega, 5 * kMega,
                             3 * kMega, 3 * kMega, 3 * kMega, size_t{100}}) {
    auto part = blocks.Take(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(part.get()) % kAlignment, 0u) << bytes;
    EXPECT_TRUE(AllZero(part.get(), bytes)) << bytes;
    std::memset(part.get(), static_cast<int>(parts.size()) + 1, bytes);
    parts.emplace_back(std::move(part), bytes);
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto& [part, bytes] = parts[i];
    const auto number = static_cast<std::byte>(i + 1);
    EXPECT_EQ(std::count(part.get(), part.get() + bytes, number), static_cast<ptrdiff_t>(bytes));
  }
}

// Memory that is used again has been written to.
TEST(PageBlocks, PartsAreZeroAgain) {
  for (int i = 0; i < 4; ++i) {
    PageBlocks blocks;
    for (const size_t bytes : {kMega, 5 * kMega}) {
      const auto part = blocks.Take(bytes);
      EXPECT_TRUE(AllZero(part.get(), bytes));
      std::memset(part.get(), 1, bytes);
    }
  }
}

TEST(PageBlocks, SmallPartsShareALargePage) {
  PageBlocks blocks;
  const auto first = blocks.Take(1000), second = blocks.Take(1000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first.get()) % kHugePage, 0u);
  EXPECT_EQ(second.get() - first.get(), 1024);
  EXPECT_EQ(blocks.Take(0), nullptr);
}

TEST(PageBlocks, PartsOutliveWhatTheyAreFrom) {
  std::shared_ptr<std::byte> part;
  {
    PageBlocks blocks;
    blocks.Take(10);
    part = blocks.Take(kMega);
  }
  std::memset(part.get(), 1, kMega);
  EXPECT_EQ(part.get()[kMega - 1], std::byte{1});
}

}  // namespace
}  // namespace millwright
