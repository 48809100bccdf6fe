#include "text/byte_alphabet.h"

#include <gtest/gtest.h>

#include <set>

namespace millwright::text {
namespace {

TEST(ByteAlphabetTest, SpellsKnownBytes) {
  EXPECT_EQ(ToByteAlphabet("a b\n"),
            "a\xC4\xA0"
            "b\xC4\x8A");                         // U+0120, U+010A
  EXPECT_EQ(ToByteAlphabet("\xAD"), "\xC5\x83");  // U+0143, the last one
}

TEST(ByteAlphabetTest, ComesBackForEveryByte) {
  std::set<std::string> spellings;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, static_cast<char>(byte));
    const std::string spelling = ToByteAlphabet(bytes);
    EXPECT_EQ(FromByteAlphabet(spelling), bytes) << byte;
    spellings.insert(spelling);
  }
  EXPECT_EQ(spellings.size(), 256u);
}

TEST(ByteAlphabetTest, RefusesWhatIsOutside) {
  for (const char* bad :
       {" ", "\n", "\xC4", "\xC4(", "\xC5\x84", "\xC2\xAD", "\xC0\xA1", "\x80", "\xE2\x96\x81"}) {
    EXPECT_EQ(FromByteAlphabet(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace millwright::text
