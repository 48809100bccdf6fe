// millwright eval: what it prints and what it refuses.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>

#include "app/stored_model.h"
#include "tests/app/tiny_run.h"
#include "tests/shared_folder.h"

namespace millwright::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

struct Line {
  double loss = 0, ppl = 0;
  long tokens = 0;
};

// The last line of standard output.
Line LastLine(const std::string& out) {
  Line line;
  const size_t at = out.rfind('\n', out.size() - 2);
  const char* last = out.c_str() + (at == std::string::npos ? 0 : at + 1);
  EXPECT_EQ(std::sscanf(last, "loss=%lf ppl=%lf tokens=%ld\n", &line.loss, &line.ppl, &line.tokens),
            3)
      << out;
  return line;
}

class EvalCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    test_folder = std::make_unique<checkpoint::TestFolder>();
    TrainTinyRun(TinyPlain(), test_folder->path());
  }
  static void TearDownTestSuite() { test_folder.reset(); }

  static CommandResult Eval(std::vector<std::string> arguments, bool with_model = true) {
    std::vector<std::string> all = {"eval", "--data", test_folder->File("data.bin")};
    if (with_model) all.insert(all.end(), {"--from", test_folder->File("run")});
    all.insert(all.end(), arguments.begin(), arguments.end());
    return RunCommand(TinyPlain(), std::move(all));
  }

  static Line Evaluated(std::vector<std::string> arguments) {
    const CommandResult result = Eval(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return LastLine(result.out);
  }

  static void ExpectRefused(std::vector<std::string> arguments, const std::string& what) {
    const CommandResult result = Eval(std::move(arguments));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, AllOf(HasSubstr("millwright: "), HasSubstr(what)));
  }

  static std::unique_ptr<checkpoint::TestFolder> test_folder;
};

std::unique_ptr<checkpoint::TestFolder> EvalCommand::test_folder;

TEST_F(EvalCommand, PrintsOneLine) {
  const CommandResult result = Eval({});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              MatchesRegex("loss=[0-9]+\\.[0-9]{4} ppl=[0-9]+\\.[0-9]{3} tokens=198\n"));
  const Line line = LastLine(result.out);
  EXPECT_NEAR(std::exp(line.loss), line.ppl, 1e-4 * line.ppl + 1e-3);
  EXPECT_GT(line.loss, 0.5);
  EXPECT_LT(line.loss, std::log(23.0) + 0.5);
}

// 200 tokens: 33 whole windows of 6, or 12 of 16; all but the first token with sliding windows.
TEST_F(EvalCommand, CountsTokens) {
  EXPECT_EQ(Evaluated({"--seq", "16"}).tokens, 192);
  EXPECT_EQ(Evaluated({"--tokens", "50"}).tokens, 48);
  EXPECT_EQ(Evaluated({"--stride", "1"}).tokens, 199);
  EXPECT_EQ(Evaluated({"--stride", "2", "--tokens", "10"}).tokens, 10);
}

// With documents, every token from the first BOS on that is no BOS is predicted once.
TEST_F(EvalCommand, CountsTheTokensOfDocuments) {
  constexpr int32_t kBos = 4;
  const auto shard = data::OpenTokenFile(test_folder->File("data.bin"), {.vocab = 23});
  ASSERT_TRUE(shard.ok()) << shard.error().message;
  std::vector<int32_t> ids(static_cast<size_t>((*shard)->size()));
  (*shard)->Copy(0, ids);
  const auto first = std::find(ids.begin(), ids.end(), kBos);
  const auto documents = std::count(first, ids.end(), kBos);
  ASSERT_GT(first - ids.begin(), 0);
  ASSERT_GT(documents, 1);
  const int64_t expected = ids.end() - first - documents;
  for (const char* stride : {"0", "1", "6"}) {
    EXPECT_EQ(Evaluated({"--documents", "--bos", "4", "--stride", stride}).tokens, expected);
  }
}

// The run's state, its exported model and that model as another file are one model.
TEST_F(EvalCommand, OpensEveryFormat) {
  const std::string blzt = test_folder->File("model.bin");
  const CommandResult converted = RunCommand(
      TinyPlain(), {"convert", "--from", test_folder->File("run"), "--to", blzt, "--overwrite"});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  const double loss = Evaluated({}).loss;
  for (const std::string& path :
       {test_folder->File("run/state-4"), test_folder->File("run/model"), blzt}) {
    const CommandResult result = Eval({"--from", path, "--seq", "6"}, false);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NEAR(LastLine(result.out).loss, loss, 1.01e-4) << path;
  }
}

TEST_F(EvalCommand, DevicesAgree) {
  EXPECT_NEAR(Evaluated({"--device", "reference"}).loss, Evaluated({}).loss, 1.01e-4);
  EXPECT_NEAR(Evaluated({"--device", "reference", "--precision", "fp16"}).loss, Evaluated({}).loss,
              1e-2);
}

// A real model on real stories. The figures are those of an independent program in double,
//   python3 tools/llama2c_loss.py stories260K.bin valid.tok512.bin --tokens 65536
//   python3 tools/llama2c_loss.py stories260K.bin valid.tok512.bin --tokens 65536 --documents 1
// in the folder of sample data.
TEST(EvalStories260K, EqualsAnIndependentProgram) {
  const auto shared = SharedFolder();
  if (!shared) GTEST_SKIP() << "the folder of sample data is not there";
  std::vector<std::string> arguments = {"eval",
                                        "--from",
                                        *shared / "data/stories260K/stories260K.bin",
                                        "--data",
                                        *shared / "data/tinystories/valid.tok512.bin",
                                        "--tokens",
                                        "65536"};
  CommandResult result = RunCommand(TinyPlain(), arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NEAR(LastLine(result.out).loss, 1.350488, 1e-4);
  EXPECT_NEAR(LastLine(result.out).ppl, 3.85931, 1e-3);
  EXPECT_EQ(LastLine(result.out).tokens, 65536);
  arguments.insert(arguments.end(), {"--documents", "--bos", "1"});
  result = RunCommand(TinyPlain(), arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NEAR(LastLine(result.out).loss, 1.324389, 1e-4);
  EXPECT_EQ(LastLine(result.out).tokens, 65133);
}

TEST_F(EvalCommand, RefusesByName) {
  ExpectRefused({"--stride", "7"}, "--stride 7");
  ExpectRefused({"--stride", "-1"}, "--stride -1");
  ExpectRefused({"--seq", "-4"}, "--seq -4");
  ExpectRefused({"--seq", "200"}, "fewer than one window of 201");
  ExpectRefused({"--tokens", "5"}, "--tokens 5");
  ExpectRefused({"--tokens", "-5"}, "--tokens -5");
  ExpectRefused({"--documents"}, "--bos");
  ExpectRefused({"--documents", "--bos", "22"}, "has no document");
  ExpectRefused({"--bos", "4"}, "--documents");
  ExpectRefused({"--precision", "fp8"}, "--precision fp8");
  ExpectRefused({"--device", "null"}, "--device null");
  const CommandResult absent = Eval({"--from", test_folder->File("nothing")}, false);
  EXPECT_EQ(absent.exit_code, 2);
  EXPECT_THAT(absent.err, HasSubstr("--from"));
}

}  // namespace
}  // namespace millwright::testing
