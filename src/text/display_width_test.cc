#include "text/display_width.h"

#include <gtest/gtest.h>

namespace millwright::text {
namespace {

TEST(DisplayWidth, ByKindOfCharacter) {
  for (const char32_t narrow : {U'a', U'~', U'é', U'─', U'█', U'⣿', U'\ue000'}) {
    EXPECT_EQ(DisplayWidth(narrow), 1) << static_cast<uint32_t>(narrow);
  }
  for (const char32_t wide : {U'語', U'ｗ', U'한', U'😀'}) {
    EXPECT_EQ(DisplayWidth(wide), 2) << static_cast<uint32_t>(wide);
  }
  for (const char32_t none : {U'\u0301', U'\u200d', U'\ufe0f'}) {
    EXPECT_EQ(DisplayWidth(none), 0) << static_cast<uint32_t>(none);
  }
}

TEST(DisplayWidth, WhatIsNotDrawn) {
  for (const uint32_t other : {0u, 0x1bu, 0x7fu, 0x9bu, 0x2028u, 0xd800u, 0xffffu, 0x110000u}) {
    EXPECT_EQ(DisplayWidth(other), -1) << other;
  }
}

}  // namespace
}  // namespace millwright::text
