// Ids against those of the libraries that the tokenizers come from: live where the Python that
// $MILLWRIGHT_PYTHON names has them, and against goldens that tools/tokenizer_ids.py made.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/python_judge.h"
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
  bool takes_bytes;    // that are not UTF-8
};
constexpr Original kOriginals[] = {{"llama", "data/llama2/tokenizer.model", "sentencepiece", true},
                                   {"qwen", "data/qwen", "tokenizers", false}};

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

// Bytes of which few are UTF-8, as they come from cut or foreign files. Only sentencepiece takes
// them: `tokenizers` encodes Python's str, which has no invalid UTF-8.
std::vector<std::string> InvalidCases() {
  std::vector<std::string> cases = {"\xFF",         "a\xC3",    "\xC3\xA9\xC3 \xF0\x9F\x98",
                                    "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80"};
  std::mt19937 random(43);
  for (int i = 0; i < 1000; ++i) cases.push_back(RandomBytes(random, 1 + random() % 40));
  for (int i = 0; i < 1000; ++i) {
    std::string text = RandomUnicode(random, 1 + random() % 20);
    text[random() % text.size()] = static_cast<char>(random() % 256);
    cases.push_back(std::move(text));
  }
  return cases;
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : bytes) hex.append({kDigits[byte >> 4], kDigits[byte & 15]});
  return hex;
}

class OriginalTokenizersTest : public ::testing::TestWithParam<Original> {
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
  if (!testing::PythonImports(GetParam().module)) {
    GTEST_SKIP() << "Python has no module " << GetParam().module;
  }
  std::vector<std::string> cases = Cases();
  if (GetParam().takes_bytes) {
    for (std::string& bytes : InvalidCases()) cases.push_back(std::move(bytes));
  }
  const TemporaryFolder folder;
  std::string lines;
  for (const std::string& text : cases) lines += json({{"hex", Hex(text)}}).dump() + "\n";
  folder.Write("cases", lines);
  const json answers = testing::RunPythonJudge(
      {"tools/tokenizer_ids.py", SharedFile(GetParam().path), folder.File("cases")});
  ASSERT_EQ(answers.size(), cases.size());
  int different = 0;
  for (size_t i = 0; i < cases.size() && different < 10; ++i) {
    const auto expected = answers[i].get<std::vector<TokenId>>();
    const auto ids = Encode(cases[i]);
    if (ids == expected) continue;
    ++different;
    ADD_FAILURE() << ::testing::PrintToString(cases[i]) << "\n ours     "
                  << ::testing::PrintToString(ids) << "\n expected "
                  << ::testing::PrintToString(expected);
  }
}

INSTANTIATE_TEST_SUITE_P(All, OriginalTokenizersTest, ::testing::ValuesIn(kOriginals),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace millwright::text
