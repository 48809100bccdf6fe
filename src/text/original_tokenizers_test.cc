// Ids against those of the libraries that the tokenizers come from: live where the Python that
// $MILLWRIGHT_PYTHON names has them, and against goldens that tools/tokenizer_ids.py made.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "text/open_tokenizer.h"
#include "text/test_files.h"
#include "text/test_texts.h"

namespace millwright::text {
namespace {

using nlohmann::json;

struct Original {
  const char* name;
  const char* path;    // of the tokenizer, in the shared folder
  const char* module;  // of Python
};
constexpr Original kOriginals[] = {{"llama", "data/llama2/tokenizer.model", "sentencepiece"},
                                   {"qwen", "data/qwen", "tokenizers"}};

std::string Python() {
  const char* chosen = std::getenv("MILLWRIGHT_PYTHON");
  return chosen != nullptr ? chosen : "python3";
}

std::vector<std::string> LinesOf(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> Cases() {
  std::vector<std::string> cases = OddTexts();
  std::mt19937 random(41);
  for (int i = 0; i < 2000; ++i) cases.push_back(RandomUnicode(random, random() % 60));
  for (int i = 0; i < 2000; ++i) cases.push_back(RandomAscii(random, random() % 80));
  for (const char* name : {"data/tinystories/valid.txt", "data/tinyshakespeare/input.txt"}) {
    const std::string path = SharedFile(name);
    for (std::string& line : LinesOf(path)) cases.push_back(std::move(line));
    cases.push_back(ReadWholeFile(path).substr(0, 100'000));
  }
  return cases;
}

class OriginalTokenizersTest : public testing::TestWithParam<Original> {
 protected:
  void SetUp() override {
    const std::string path = SharedFile(GetParam().path);
    if (path.empty()) GTEST_SKIP() << "no shared data: " << GetParam().path;
    auto tokenizer = OpenTokenizer(path);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    tokenizer_ = *std::move(tokenizer);
  }

  std::vector<TokenId> Encode(const std::string& text) {
    const auto ids = EncodeText(*tokenizer_, text);
    EXPECT_TRUE(ids.ok()) << ids.error().message;
    return ids.ok() ? *ids : std::vector<TokenId>();
  }

  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(OriginalTokenizersTest, GivesTheIdsOfTheGolden) {
  const auto golden = json::parse(
      ReadWholeFile(std::string("tests/goldens/tokenizers/") + GetParam().name + ".json"));
  ASSERT_GE(golden.size(), 20u);
  for (const auto& [text, ids] : golden.items()) {
    EXPECT_EQ(Encode(text), ids.get<std::vector<TokenId>>()) << text;
  }
}

TEST_P(OriginalTokenizersTest, GivesTheIdsOfTheLibrary) {
  const std::string has = Python() + " -c 'import " + GetParam().module + "' 2>/dev/null";
  if (std::system(has.c_str()) != 0) {
    GTEST_SKIP() << Python() << " has no module " << GetParam().module;
  }
  const std::vector<std::string> cases = Cases();
  const TemporaryFolder folder;
  std::string lines;
  for (const std::string& text : cases) lines += json(text).dump() + "\n";
  folder.Write("cases", lines);
  const std::string command = Python() + " tools/tokenizer_ids.py " + SharedFile(GetParam().path) +
                              " " + folder.File("cases") + " > " + folder.File("ids");
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::vector<std::string> answers = LinesOf(folder.File("ids"));
  ASSERT_EQ(answers.size(), cases.size());
  int different = 0;
  for (size_t i = 0; i < cases.size() && different < 10; ++i) {
    std::istringstream numbers(answers[i]);
    const std::vector<TokenId> expected{std::istream_iterator<TokenId>(numbers), {}};
    const auto ids = Encode(cases[i]);
    if (ids == expected) continue;
    ++different;
    ADD_FAILURE() << json(cases[i]).dump() << "\n ours     " << testing::PrintToString(ids)
                  << "\n expected " << testing::PrintToString(expected);
  }
}

INSTANTIATE_TEST_SUITE_P(All, OriginalTokenizersTest, testing::ValuesIn(kOriginals),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace millwright::text
