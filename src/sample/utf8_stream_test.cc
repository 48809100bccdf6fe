#include "sample/utf8_stream.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/rng.h"

namespace millwright::sample {
namespace {

// A second opinion on what is UTF-8.
bool IsUtf8(const std::string& text) { return nlohmann::json::accept("\"" + text + "\""); }

// `bytes` in parts of random lengths, every part checked.
std::string Streamed(std::string_view bytes, const Rng& rng) {
  Utf8Stream stream;
  std::string out;
  for (uint64_t i = 0; !bytes.empty(); ++i) {
    const size_t part = std::min<size_t>(bytes.size(), rng.Below(i, 4));
    const std::string text = stream.Add(bytes.substr(0, part));
    EXPECT_TRUE(IsUtf8(text));
    out += text;
    bytes.remove_prefix(part);
  }
  return out + stream.Finish();
}

TEST(Utf8Stream, HoldsBackUnfinishedCharacters) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Add("a\xF0\x9F"), "a");
  EXPECT_EQ(stream.Add("\x98"), "");
  EXPECT_EQ(stream.Add("\x80z"), "\xF0\x9F\x98\x80z");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(Utf8Stream, PassesTextThroughHoweverItIsCut) {
  const std::string text = "Zo\u00EB \u00FCbt \u4F60\u597D \U0001F600 \u07FF\u0800\uFFFD\U0010FFFF";
  for (uint64_t seed = 0; seed < 200; ++seed) EXPECT_EQ(Streamed(text, Rng(seed, 1)), text);
}

TEST(Utf8Stream, ReplacesWhatCannotBeACharacter) {
  const std::string r = "\uFFFD";
  const std::pair<std::string, std::string> cases[] = {
      {"\x80", r},
      {"\xFF\xFE", r + r},
      {"\xC0\xAF", r + r},     // "/" in two bytes
      {"\xE2\x82", r},         // cut at the end
      {"\xE2\x82(", r + "("},  // cut by the next character
      {"\xE2\x82\xE2\x82\xAC", r + "\u20AC"},
      {"\xED\xA0\x80", r + r + r},          // a surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},  // above U+10FFFF
      {"\xF0\x9F\x98", r},
  };
  for (const auto& [bytes, expected] : cases) {
    for (uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(Streamed(bytes, Rng(seed, 2)), expected);
  }
}

TEST(Utf8Stream, MakesUtf8OfAnyBytesWhereverTheyAreCut) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const Rng rng(seed, 3);
    std::string bytes;
    // Mostly bytes that matter to the rules.
    constexpr std::string_view kEdges =
        "a\x7F\x80\x8F\x90\x9F\xA0\xBF\xC1\xC2\xDF\xE0\xED\xEF\xF0\xF4\xF5";
    for (uint64_t i = 0; i < 12; ++i) bytes.push_back(kEdges[rng.Below(i, kEdges.size())]);
    const std::string whole = Streamed(bytes, Rng(seed, 4));
    EXPECT_TRUE(IsUtf8(whole));
    EXPECT_EQ(whole, Streamed(bytes, Rng(seed, 5)));
  }
}

}  // namespace
}  // namespace millwright::sample
