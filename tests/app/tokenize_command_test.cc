// millwright tokenize, and training on text.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/test_temporary_files.h"
#include "data/token_file.h"
#include "tests/app/run_command.h"
#include "tests/app/tiny_run.h"
#include "tests/training/tiny_models.h"
#include "text/byte_bpe_train.h"

namespace millwright::testing {
namespace {

using checkpoint::TestFolder;
using ::testing::HasSubstr;

// A folder with a tokenizer.json of 257 tokens and a text.
class TokenizeCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    constexpr std::array<std::string_view, 1> kSpecial = {text::kEndOfText};
    const auto bpe = text::TrainByteBpe("", 257, kSpecial);
    ASSERT_TRUE(bpe.ok());
    ASSERT_TRUE(bpe->Save(folder_.path()).ok());
    std::string story;
    for (int i = 0; i < 40; ++i) story += "Once upon a time.\n<|endoftext|>\n";
    checkpoint::WriteBytes(File("in.txt"), story);
  }

  std::string File(const std::string& name) const { return folder_.File(name); }

  CommandResult Tokenize(std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"tokenize", "--tokenizer", File("tokenizer.json")});
    return RunCommand(TinyPlain(), std::move(flags));
  }

  void ExpectRefused(const std::vector<std::string>& flags, const std::string& what) const {
    const CommandResult result = Tokenize(flags);
    EXPECT_EQ(result.exit_code, 2) << what;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr(what));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_FALSE(std::filesystem::exists(File("out.bin")));
    EXPECT_FALSE(HoldsTemporaryFiles(folder_.path()));
  }

  TestFolder folder_;
};

TEST_F(TokenizeCommand, ThereAndBack) {
  const std::string split = "\\n<|endoftext|>\\n";
  const auto there = Tokenize({"--bos", "--split", split, File("in.txt"), File("out.bin")});
  ASSERT_EQ(there.exit_code, 0) << there.err;
  EXPECT_EQ(there.out, "tokens=720 documents=40 bytes=1280 dtype=u16\n");
  const auto info = data::ReadShardInfo(File("out.bin"));
  ASSERT_TRUE(info.ok());
  EXPECT_THAT(info->tokenizer, HasSubstr("tokenizer.json"));
  const auto back = Tokenize({"--decode", "--split", split, File("out.bin"), File("back.txt")});
  ASSERT_EQ(back.exit_code, 0) << back.err;
  EXPECT_EQ(checkpoint::ReadBytes(File("back.txt")), checkpoint::ReadBytes(File("in.txt")));
}

TEST_F(TokenizeCommand, RefusesWhatMakesNoSense) {
  const std::string in = File("in.txt"), out = File("out.bin");
  ExpectRefused({"--decode", "--bos", in, out}, "--bos: says how to encode");
  ExpectRefused({"--split", "\\q", in, out}, "--split: \"\\q\"");
  ExpectRefused({"--split", "x", "--text-field", "text", in, out}, "--split: with --text-field");
  ExpectRefused({in, folder_.path()}, "is a folder");
  ExpectRefused({in, in}, "is the input and the output");
  ExpectRefused({File("none"), out}, "none: no such file");
  ExpectRefused({in, File("no/out.bin")}, "no/out.bin");
  ExpectRefused({"--text-field", "text", in, out}, "line 1: not valid JSON");
  ExpectRefused({"--decode", in, out}, "in.txt");
  EXPECT_EQ(checkpoint::ReadBytes(in).size(), 1280u);
  const auto result = RunCommand(TinyPlain(), {"tokenize", "--tokenizer", in, in, out});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("supported are"));
}

// A run on text gives the tokens of the same text tokenized before; the second finds the shard.
class TrainOnText : public TokenizeCommand {
 protected:
  void SetUp() override {
    TokenizeCommand::SetUp();
    ::setenv("MILLWRIGHT_CACHE", File("cache").c_str(), 1);
    config_ = TinyPlain();
    config_.vocab = 257;
  }
  void TearDown() override { ::unsetenv("MILLWRIGHT_CACHE"); }

  CommandResult Train(const std::string& out, std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"train", "--scratch", "--steps", "2", "--accum", "1", "--threads",
                                 "1", "--overwrite", "--out", File(out)});
    return RunCommand(config_, std::move(flags));
  }

  model::ModelConfig config_;
};

TEST_F(TrainOnText, IsTrainingOnItsShard) {
  const std::string tokenizer = File("tokenizer.json"), split = "\\n<|endoftext|>\\n";
  const std::vector<std::string> on_text = {"--data",  File("in.txt"), "--tokenizer",
                                            tokenizer, "--split",      split};
  const auto first = Train("run1", on_text);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("720 tokens in 40 documents"));
  const auto second = Train("run2", on_text);
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.err.find("720 tokens in"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(File("run1/tokenizer.json")));

  ASSERT_EQ(Tokenize({"--bos", "--split", split, File("in.txt"), File("out.bin")}).exit_code, 0);
  const auto on_shard = Train("run3", {"--data", File("out.bin")});
  ASSERT_EQ(on_shard.exit_code, 0) << on_shard.err;
  EXPECT_EQ(checkpoint::ReadBytes(File("run3/model/model.safetensors")),
            checkpoint::ReadBytes(File("run1/model/model.safetensors")));

  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "{\"text\": \"Once upon a time.\"}\n";
  checkpoint::WriteBytes(File("in.jsonl"), lines);
  const auto on_json = Train("run4", {"--data", File("in.jsonl"), "--tokenizer", tokenizer});
  ASSERT_EQ(on_json.exit_code, 0) << on_json.err;
  EXPECT_EQ(checkpoint::ReadBytes(File("run4/model/model.safetensors")),
            checkpoint::ReadBytes(File("run1/model/model.safetensors")));

  const auto resumed =
      RunCommand(config_, {"train", "--resume", "--steps", "3", "--out", File("run1")});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
}

// eval reads text too, by the model's own tokenizer or by the one that is named.
TEST_F(TrainOnText, EvalReadsTextAsItsShard) {
  const std::string split = "\\n<|endoftext|>\\n";
  ASSERT_EQ(
      Train("run", {"--data", File("in.txt"), "--tokenizer", File("tokenizer.json")}).exit_code, 0);
  ASSERT_EQ(Tokenize({"--bos", "--split", split, File("in.txt"), File("out.bin")}).exit_code, 0);
  const auto eval = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"eval", "--from", File("run")});
    return RunCommand(config_, std::move(flags));
  };
  const auto shard = eval({"--data", File("out.bin")});
  ASSERT_EQ(shard.exit_code, 0) << shard.err;
  EXPECT_THAT(shard.out, HasSubstr("tokens=714\n"));  // 119 windows of 6
  EXPECT_EQ(eval({"--data", File("in.txt"), "--split", split}).out, shard.out);
  EXPECT_EQ(
      eval({"--data", File("in.txt"), "--split", split, "--tokenizer", File("tokenizer.json")}).out,
      shard.out);
  EXPECT_THAT(eval({"--data", File("out.bin"), "--split", split}).err, HasSubstr("--split: "));
  EXPECT_THAT(eval({"--data", File("in.txt"), "--tokenizer", File("no.json")}).err,
              HasSubstr("--tokenizer: "));
  std::filesystem::remove(File("run/tokenizer.json"));
  EXPECT_THAT(eval({"--data", File("in.txt")}).err, HasSubstr("--tokenizer: is needed for text"));
}

TEST_F(TrainOnText, ChangedTextIsEncodedAnew) {
  const std::vector<std::string> flags = {"--data", File("in.txt"), "--tokenizer",
                                          File("tokenizer.json")};
  ASSERT_EQ(Train("run", flags).exit_code, 0);
  checkpoint::WriteBytes(File("in.txt"), checkpoint::ReadBytes(File("in.txt")) + "x");
  const auto again = Train("run", flags);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("tokens in 1 documents"));
}

TEST_F(TrainOnText, RefusesTextThatItCannotEncode) {
  const auto refuse = [&](std::vector<std::string> flags, const std::string& what) {
    const auto result = Train("none", std::move(flags));
    EXPECT_EQ(result.exit_code, 2) << what;
    EXPECT_THAT(result.err, HasSubstr(what));
    EXPECT_FALSE(std::filesystem::exists(File("none")));
  };
  refuse({"--data", File("in.txt")}, "--tokenizer must say how to encode it");
  refuse({"--tokenizer", File("tokenizer.json")}, "--data is needed");
  refuse({"--split", "x"}, "--split: is for text in --data");
  refuse({"--data", File("in.txt"), "--tokenizer", File("no.json")}, "--tokenizer: ");
  refuse({"--data", File("none.txt"), "--tokenizer", File("tokenizer.json")}, "none.txt");
}

}  // namespace
}  // namespace millwright::testing
