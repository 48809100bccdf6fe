#include "base/escapes.h"

#include <gtest/gtest.h>

namespace millwright {
namespace {

TEST(EscapesTest, StandForTheirCharacters) {
  EXPECT_EQ(*Unescape("\\n<|end|>\\n"), "\n<|end|>\n");
  EXPECT_EQ(*Unescape("a\\tb\\\\n\\x41\\xff"), "a\tb\\nA\xFF");
  EXPECT_EQ(*Unescape("\\0"), std::string(1, '\0'));
  EXPECT_EQ(*Unescape("plain"), "plain");
}

TEST(EscapesTest, OthersAreRefused) {
  for (const char* wrong : {"\\", "a\\", "\\q", "\\x", "\\x4", "\\xg1", "\\x4g"}) {
    const auto text = Unescape(wrong);
    ASSERT_FALSE(text.ok()) << wrong;
    EXPECT_EQ(text.error().kind, ErrorKind::kBadInput);
  }
  EXPECT_NE(Unescape("ab\\q").error().message.find("after 2 bytes"), std::string::npos);
}

}  // namespace
}  // namespace millwright
