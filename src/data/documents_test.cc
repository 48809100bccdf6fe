#include "data/documents.h"

#include <gmock/gmock.h>

#include <random>
#include <utility>
#include <vector>

namespace millwright::data {
namespace {

using testing::ElementsAre;

// The documents of `text`, handed in in parts of at most `most` bytes.
std::vector<std::string> Documents(const std::string& separator, std::string_view text,
                                   size_t most = 1000) {
  std::vector<std::string> documents;
  std::string current;
  DocumentCutter cutter(
      separator,
      [&](std::string_view part) {
        current.append(part);
        return Status();
      },
      [&] {
        documents.push_back(std::exchange(current, {}));
        return Status();
      });
  for (; !text.empty(); text.remove_prefix(std::min(most, text.size()))) {
    EXPECT_TRUE(cutter.Add(text.substr(0, most)).ok());
  }
  EXPECT_TRUE(cutter.Finish().ok());
  return documents;
}

TEST(DocumentCutterTest, SeparatorsEndDocuments) {
  EXPECT_THAT(Documents("|", "a|b|"), ElementsAre("a", "b"));
  EXPECT_THAT(Documents("|", "a|b"), ElementsAre("a", "b"));
  EXPECT_THAT(Documents("|", "||a||b"), ElementsAre("a", "b"));
  EXPECT_THAT(Documents("", "a|b"), ElementsAre("a|b"));
  EXPECT_THAT(Documents("|", ""), ElementsAre());
  EXPECT_THAT(Documents("aab", "aaab"), ElementsAre("a"));
}

TEST(DocumentCutterTest, PartsDoNotMatter) {
  std::mt19937 random(2);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (size_t i = random() % 40; i > 0; --i) text += "ab\n"[random() % 3];
    const auto whole = Documents("a\na", text);
    for (size_t most : {1u, 2u, 5u}) ASSERT_EQ(Documents("a\na", text, most), whole) << text;
  }
}

TEST(DocumentCutterTest, ErrorsEndIt) {
  DocumentCutter cutter(
      "|", [](std::string_view) -> Status { return Failed("no"); }, [] { return Status(); });
  EXPECT_FALSE(cutter.Add("a|b").ok());
}

}  // namespace
}  // namespace millwright::data
