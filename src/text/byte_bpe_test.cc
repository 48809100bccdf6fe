#include "text/byte_bpe.h"

#include <gmock/gmock.h>

#include <array>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "tests/python_judge.h"
#include "text/byte_bpe_train.h"
#include "text/open_tokenizer.h"
#include "text/test_files.h"
#include "text/test_texts.h"

namespace millwright::text {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::array<std::string_view, 1> kSpecial = {kEndOfText};
constexpr std::string_view kText =
    "The little cat sat on the mat. The cat's mat was red, and the cat sat there all day.\n"
    "Then the other cat came and said, \"Hello, little cat!\" They sat together on the mat.\n"
    "In 1999 there were 99 cats; in 2001 there were 2001 of them, and they'll never leave.\n";

ByteBpe Trained(int vocab = 330) {
  auto bpe = TrainByteBpe(kText, vocab, kSpecial);
  EXPECT_TRUE(bpe.ok());
  return *std::move(bpe);
}

TEST(ByteBpeTest, MergesTheMostFrequentPairFirst) {
  const auto bpe = TrainByteBpe("abab ab cab", 259, kSpecial);
  ASSERT_TRUE(bpe.ok());
  // a+b occurs four times (in "abab", " ab", " cab"), then ab+ab once, too rarely; " "+ab does too.
  ASSERT_EQ(bpe->model().merges.size(), 1u);
  EXPECT_EQ(bpe->Piece(257), "ab");
  EXPECT_THAT(bpe->Encode("cab<|endoftext|>ab"), ElementsAre(1 + 'c', 257, 0, 257));
}

TEST(ByteBpeTest, BreaksTiesBySmallerIds) {
  const auto bpe = TrainByteBpe("zy zy zy ab ab ab", 259, kSpecial);
  ASSERT_TRUE(bpe.ok());
  EXPECT_EQ(bpe->Piece(257), " a");  // as frequent as " z" (twice); "ab" and "zy" have three
  EXPECT_EQ(bpe->Piece(258), "zy");
}

TEST(ByteBpeTest, StopsWhenNoPairOccursTwice) {
  const auto bpe = TrainByteBpe("abc", 1000, kSpecial);
  ASSERT_TRUE(bpe.ok());
  EXPECT_EQ(bpe->vocab_size(), 257);
}

TEST(ByteBpeTest, RefusesTooSmallVocabularies) {
  const auto bpe = TrainByteBpe(kText, 256, kSpecial);
  ASSERT_FALSE(bpe.ok());
  EXPECT_EQ(bpe.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(bpe.error().message, HasSubstr("vocabulary size 256"));
  EXPECT_THAT(bpe.error().message, HasSubstr("needs 257"));
}

TEST(ByteBpeTest, TrainingIsDeterministic) { EXPECT_EQ(Trained().ToJson(), Trained().ToJson()); }

TEST(ByteBpeTest, SpecialTokensAreRecognisedUnlessPlain) {
  const ByteBpe bpe = Trained();
  EXPECT_EQ(bpe.bos(), 0);
  EXPECT_EQ(bpe.eos(), 0);
  EXPECT_THAT(bpe.Encode(kEndOfText), ElementsAre(0));
  EXPECT_GT(bpe.EncodePlain(kEndOfText).size(), 1u);
  EXPECT_EQ(bpe.Decode(bpe.EncodePlain(kEndOfText)), kEndOfText);
}

TEST(ByteBpeTest, AnyBytesComeBack) {
  const ByteBpe bpe = Trained();
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    std::string text = RandomBytes(random, random() % 200);
    if (round % 3 == 0) text.append(kText.substr(random() % kText.size()));
    if (round % 5 == 0) text.append(kEndOfText);
    ASSERT_EQ(bpe.Decode(bpe.Encode(text)), text);
    ASSERT_EQ(bpe.Decode(bpe.EncodePlain(text)), text);
  }
}

// The definition: again and again, apply the earliest merge that applies, leftmost first.
TEST(ByteBpeTest, EqualsTheDefinition) {
  const ByteBpe bpe = Trained();
  std::mt19937 random(5);
  constexpr std::string_view kLetters = "thecatsma";
  for (int round = 0; round < 300; ++round) {
    std::vector<TokenId> expected;
    std::string word;
    for (size_t i = 0; i < 1 + random() % 30; ++i) word += kLetters[random() % kLetters.size()];
    for (unsigned char byte : word) expected.push_back(1 + byte);
    for (bool merged = true; merged;) {
      merged = false;
      for (const auto& [left, right] : bpe.model().merges) {
        for (size_t i = 0; i + 1 < expected.size() && !merged; ++i) {
          if (expected[i] != left || expected[i + 1] != right) continue;
          const std::string joined = std::string(bpe.Piece(left)).append(bpe.Piece(right));
          TokenId id = 0;
          while (bpe.Piece(id) != joined) ++id;
          expected[i] = id;
          expected.erase(expected.begin() + static_cast<ptrdiff_t>(i) + 1);
          merged = true;
        }
        if (merged) break;
      }
    }
    ASSERT_EQ(bpe.Encode(word), expected) << word;
  }
}

TEST(ByteBpeTest, LongWordsAreNotQuadratic) {
  const ByteBpe bpe = Trained();
  const std::string word(2'000'000, 't');
  EXPECT_EQ(bpe.Decode(bpe.Encode(word)).size(), word.size());
}

TEST(ByteBpeTest, IdsOutsideAreSkipped) {
  const ByteBpe bpe = Trained();
  const std::array<TokenId, 3> ids = {-1, 1 + 'x', 99999};
  EXPECT_EQ(bpe.Decode(ids), "x");
}

TEST(ByteBpeTest, SavedAndOpenedIsTheSame) {
  const TemporaryFolder folder;
  const ByteBpe bpe = Trained();
  ASSERT_TRUE(bpe.Save(folder.path()).ok());
  const auto opened = OpenTokenizer(folder.path());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ((*opened)->vocab_size(), bpe.vocab_size());
  EXPECT_EQ((*opened)->Encode(kText), bpe.Encode(kText));
  EXPECT_EQ(static_cast<const ByteBpe&>(**opened).ToJson(), bpe.ToJson());
}

TEST(ByteBpeTest, PatternNormalizationAndEndsComeBack) {
  const TemporaryFolder folder;
  ByteBpeModel model = Trained().model();
  model.pattern = kQwenPattern;
  model.nfc = true;
  model.ignore_merges = true;
  model.bos = std::nullopt;
  const auto bpe = ByteBpe::Create(model);
  ASSERT_TRUE(bpe.ok()) << bpe.error().message;
  ASSERT_TRUE(bpe->Save(folder.path()).ok());
  const auto opened = ByteBpe::Open(folder.File("tokenizer.json"));
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->model().pattern, kQwenPattern);
  EXPECT_TRUE(opened->model().nfc);
  EXPECT_TRUE(opened->model().ignore_merges);
  EXPECT_EQ(opened->bos(), std::nullopt);
  EXPECT_EQ(opened->eos(), 0);
  EXPECT_EQ(opened->ToJson(), bpe->ToJson());
  EXPECT_EQ(opened->Decode(opened->Encode("cafe\u0301")), "caf\u00E9");
}

TEST(ByteBpeTest, AWordThatIsATokenNeedsNoMerges) {
  ByteBpeModel model = Trained(257).model();
  model.tokens.emplace_back("cat");
  EXPECT_EQ(ByteBpe::Create(model)->Encode("cat").size(), 3u);
  model.ignore_merges = true;
  EXPECT_THAT(ByteBpe::Create(model)->Encode("cat cats"),
              ElementsAre(257, 1 + ' ', 1 + 'c', 1 + 'a', 1 + 't', 1 + 's'));
}

TEST(ByteBpeTest, AFailingPatternGivesNoIdsAndSaysWhy) {
  ByteBpeModel model = Trained().model();
  model.pattern = "(x+x+)+y|z";
  const auto bpe = ByteBpe::Create(model);
  ASSERT_TRUE(bpe.ok());
  const std::string text(60, 'x');
  EXPECT_TRUE(bpe->Encode(text).empty());
  const auto ids = EncodeText(*bpe, text);
  ASSERT_FALSE(ids.ok());
  EXPECT_THAT(ids.error().message, HasSubstr("pattern gives up"));
}

TEST(ByteBpeTest, BytesThatAreNoCharactersAreWordsOfTheirOwn) {
  const ByteBpe bpe = Trained();
  EXPECT_THAT(bpe.Encode("x\xFF\xC3y\xE2\x82"),
              ElementsAre(1 + 'x', 1 + 0xFF, 1 + 0xC3, 1 + 'y', 1 + 0xE2, 1 + 0x82));
}

// What FromJson says about a tokenizer.json after `change`.
template <class Change>
std::string RefusalAfter(const Change& change) {
  json root = json::parse(Trained(260).ToJson());
  change(root);
  const auto bpe = ByteBpe::FromJson(root.dump(), "t.json");
  return bpe.ok() ? "" : bpe.error().message;
}

TEST(ByteBpeTest, NamesWhatIsWrongInAFile) {
  EXPECT_EQ(RefusalAfter([](json&) {}), "");
  EXPECT_EQ(RefusalAfter([](json& j) { j["model"]["type"] = "Unigram"; }),
            "t.json: model.type: expected BPE, found Unigram");
  EXPECT_EQ(RefusalAfter([](json& j) { j.erase("model"); }),
            "t.json: model.type: expected BPE, found none");
  EXPECT_THAT(RefusalAfter([](json& j) {
                j["pre_tokenizer"] = {{"type", "Sequence"}};
              }),
              HasSubstr("expected ByteLevel, alone or after one Split"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["pre_tokenizer"].erase("add_prefix_space"); }),
              HasSubstr("add_prefix_space"));
  EXPECT_THAT(RefusalAfter([](json& j) {
                j["normalizer"] = {{"type", "NFKC"}};
              }),
              HasSubstr("normalizer.type: expected none or NFC, found NFKC"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["model"]["dropout"] = 0.1; }),
              HasSubstr("model.dropout"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["model"]["vocab"] = 3; }), HasSubstr("model.vocab"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["model"]["vocab"].erase("a"); }),
              HasSubstr("expected an id"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["model"]["vocab"]["a"] = 5; }),
              HasSubstr("id 5 is taken"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["model"]["vocab"]["a"] = "x"; }),
              HasSubstr("expected an id"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["model"]["vocab"]["a b"] = 260; }),
              HasSubstr("not in the byte alphabet"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["model"]["merges"][0] = "a"; }), HasSubstr("merges[0]"));
  EXPECT_THAT(RefusalAfter([](json& j) {
                j["model"]["merges"][0] = {"zz", "b"};
              }),
              HasSubstr("\"zz\" is not in model.vocab"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["model"]["merges"][0] = "q z"; }), HasSubstr("\"qz\""));
  EXPECT_THAT(
      RefusalAfter([](json& j) { j["model"]["merges"].push_back(j["model"]["merges"][0]); }),
      HasSubstr("listed twice"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["added_tokens"][0]["lstrip"] = true; }),
              HasSubstr("lstrip"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["added_tokens"][0]["id"] = 9; }),
              HasSubstr("id 9 here, 0"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["added_tokens"].push_back(j["added_tokens"][0]); }),
              HasSubstr("\"<|endoftext|>\": id 0 is taken"));
  EXPECT_THAT(RefusalAfter([](json& j) { j["added_tokens"] = "x"; }),
              HasSubstr("added_tokens: expected an array"));
  const auto split = [](const char* key, const json& value) {
    return RefusalAfter([&](json& j) {
      json step = {{"type", "Split"}, {"pattern", {{"Regex", "a|b"}}}, {"behavior", "Isolated"}};
      step[key] = value;
      json level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
      j["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {step, level}}};
    });
  };
  EXPECT_EQ(split("invert", false), "");
  EXPECT_THAT(split("pattern", {{"Regex", "a("}}), HasSubstr("missing closing parenthesis"));
  EXPECT_THAT(split("pattern", {{"String", " "}}), HasSubstr("expected a Split by a Regex"));
  EXPECT_THAT(split("behavior", "Removed"), HasSubstr("expected Isolated, found \"Removed\""));
  EXPECT_THAT(split("invert", true), HasSubstr("invert: expected false"));
}

TEST(ByteBpeTest, CorruptedFilesNeverCrash) {
  const std::string good = Trained(270).ToJson();
  EXPECT_FALSE(ByteBpe::FromJson("", "x").ok());
  EXPECT_FALSE(ByteBpe::FromJson("[]", "x").ok());
  std::mt19937 random(17);
  for (int round = 0; round < 300; ++round) {
    std::string bad = good;
    if (round % 2 == 0) {
      bad.resize(random() % (good.size() - 2));
      EXPECT_FALSE(ByteBpe::FromJson(bad, "x").ok());
    } else {
      for (int i = 0; i < 5; ++i) bad[random() % bad.size()] = static_cast<char>(random() % 256);
      const auto bpe = ByteBpe::FromJson(bad, "x");
      if (!bpe.ok()) continue;
      EXPECT_EQ(bpe->Decode(bpe->EncodePlain(kText)), kText);
    }
  }
}

// The ids that Hugging Face's library gives.
TEST(ByteBpeTest, HuggingFaceGivesTheSameIds) {
  if (!testing::PythonImports("tokenizers")) {
    GTEST_SKIP() << "Python has no module `tokenizers`";
  }
  const TemporaryFolder folder;
  const ByteBpe bpe = Trained();
  ASSERT_TRUE(bpe.Save(folder.path()).ok());
  std::string text(kText);
  text.append(kEndOfText).append("  they're\t'tis\r\n\n\n  9a 9.9 _x_ 's 'S we'd've <|end|>  ");
  std::mt19937 random(23);
  for (int i = 0; i < 5000; ++i) text += static_cast<char>(random() % 128);
  for (char& c : text) c = c == '\0' ? ' ' : c;
  folder.Write("text", text);
  folder.Write("run.py",
               "import sys, tokenizers\n"
               "f = sys.argv[1]\n"
               "t = tokenizers.Tokenizer.from_file(f + '/tokenizer.json')\n"
               "s = open(f + '/text', newline='', encoding='ascii').read()\n"
               "ids = t.encode(s).ids\n"
               "assert t.decode(ids, skip_special_tokens=False) == s\n"
               "print(ids)\n");
  const json ids = testing::RunPythonJudge({folder.File("run.py"), folder.path()});
  ASSERT_TRUE(ids.is_array());
  EXPECT_EQ(bpe.Encode(text), ids.get<std::vector<TokenId>>());
}

}  // namespace
}  // namespace millwright::text
