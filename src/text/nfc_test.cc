#include "text/nfc.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <cstdlib>
#include <random>

#include "text/test_texts.h"

namespace millwright::text {
namespace {

std::string Nfc(std::string_view text) {
  std::string out;
  EXPECT_TRUE(AppendNfc(text, out).ok());
  return out;
}

std::string WholeByLibrary(const std::string& text) {
  auto* bytes = utf8proc_NFC(reinterpret_cast<const utf8proc_uint8_t*>(text.c_str()));
  std::string out(reinterpret_cast<const char*>(bytes));
  std::free(bytes);
  return out;
}

TEST(NfcTest, KnownForms) {
  EXPECT_EQ(Nfc("plain"), "plain");
  EXPECT_EQ(Nfc("cafe\u0301!"), "caf\u00E9!");
  EXPECT_EQ(Nfc("\u212B"), "\u00C5");
  EXPECT_EQ(Nfc("\u1100\u1161\u11A8"), "\uAC01");
  EXPECT_EQ(Nfc("\u0958"), "\u0915\u093C");  // excluded from composition
  EXPECT_EQ(Nfc("q\u0307\u0323"), "q\u0323\u0307");
  EXPECT_EQ(Nfc("\u0301x"), "\u0301x");
}

TEST(NfcTest, EqualsTheLibraryOnWholeTexts) {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    const std::string text = RandomUnicode(random, random() % 40);
    ASSERT_EQ(Nfc(text), WholeByLibrary(text)) << ::testing::PrintToString(text);
  }
}

TEST(NfcTest, EveryCharacterAloneAndAfterALetter) {
  for (char32_t point = 1; point < 0x11800; ++point) {
    if (point >= 0xD800 && point < 0xE000) continue;
    for (const std::string& before : {std::string(), std::string("e"), std::string("\u1100")}) {
      const std::string text = before + Utf8(point);
      ASSERT_EQ(Nfc(text), WholeByLibrary(text)) << static_cast<uint32_t>(point);
    }
  }
}

TEST(NfcTest, PartsCutWhereItSaysMakeUpTheWhole) {
  std::mt19937 random(8);
  for (int round = 0; round < 3000; ++round) {
    const std::string text = RandomUnicode(random, random() % 30);
    const size_t cut = LastNfcCut(text);
    ASSERT_LE(cut, text.size());
    const std::string after = RandomUnicode(random, random() % 5);
    ASSERT_EQ(Nfc(text.substr(0, cut)) + Nfc(text.substr(cut) + after), Nfc(text + after));
  }
}

TEST(NfcTest, EndlessMarksAreRefused) {
  std::string text = "a", out;
  for (int i = 0; i < 20000; ++i) text += "\u0301";
  const auto status = AppendNfc(text, out);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("combining characters in a row"), std::string::npos);
}

}  // namespace
}  // namespace millwright::text
