// millwright generate, on a run that was just trained on the embedded stories.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/app/run_command.h"
#include "tests/app/tiny_run.h"
#include "text/open_tokenizer.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class GenerateCommand : public ::testing::Test {
 protected:
  static model::ModelConfig Config() {
    model::ModelConfig config = TinyPlain();
    config.vocab = 300;
    config.seq = 40;
    return config;
  }

  static void SetUpTestSuite() {
    test_folder = new checkpoint::TestFolder;
    const auto trained =
        RunCommand(Config(), {"train", "--scratch", "--steps", "4", "--accum", "2", "--device",
                              "reference", "--val-windows", "1", "--out", Run()});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  static void TearDownTestSuite() {
    delete test_folder;
    test_folder = nullptr;
  }

  static std::string Run() { return test_folder->File("run"); }
  static CommandResult Generate(std::vector<std::string> arguments) {
    const bool has_device =
        std::find(arguments.begin(), arguments.end(), "--device") != arguments.end();
    if (!has_device) arguments.insert(arguments.begin(), {"--device", "reference"});
    arguments.insert(arguments.begin(), "generate");
    return RunCommand(TinyPlain(), std::move(arguments));
  }
  static void ExpectRefused(const std::vector<std::string>& arguments, const std::string& what) {
    const CommandResult result = Generate(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, StartsWith("millwright: "));
    EXPECT_THAT(result.err, HasSubstr(what));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }

  static checkpoint::TestFolder* test_folder;
};

checkpoint::TestFolder* GenerateCommand::test_folder = nullptr;

TEST_F(GenerateCommand, WritesPromptAndContinuationAndNothingElse) {
  const std::vector<std::string> flags = {"--from",   Run(), "--prompt", "Once upon a time",
                                          "--tokens", "50",  "--seed",   "3"};
  const CommandResult result = Generate(flags);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("Once upon a time"));
  EXPECT_GT(result.out.size(), std::string("Once upon a time").size());
  EXPECT_THAT(result.out, ::testing::Not(HasSubstr("<|endoftext|>")));
  EXPECT_THAT(result.err, HasSubstr("tokens/s"));
  EXPECT_EQ(Generate(flags).out, result.out);
}

TEST_F(GenerateCommand, ZeroTokensWriteThePrompt) {
  EXPECT_EQ(Generate({"--from", Run(), "--prompt", "Hi \u00E9", "--tokens", "0"}).out, "Hi \u00E9");
}

TEST_F(GenerateCommand, FindsTheTokenizerInModelOrRunOrWhereItIsTold) {
  const std::string model = Run() + "/model";
  const std::vector<std::string> rest = {"--prompt", "a", "--tokens", "8", "--temperature", "0"};
  const auto with = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(), rest.begin(), rest.end());
    const CommandResult result = Generate(flags);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  };
  const std::string expected = with({"--from", Run()});
  EXPECT_EQ(with({"--from", model}), expected);
  EXPECT_EQ(with({"--from", model, "--tokenizer", Run() + "/tokenizer.json"}), expected);
  const checkpoint::TestFolder other;
  std::filesystem::copy(Run(), other.File("run"), std::filesystem::copy_options::recursive);
  std::filesystem::remove(other.File("run/model/tokenizer.json"));
  EXPECT_EQ(with({"--from", other.File("run")}), expected);
  std::filesystem::remove(other.File("run/tokenizer.json"));
  ExpectRefused({"--from", other.File("run")}, "--tokenizer");
}

TEST_F(GenerateCommand, ReadsTheTrainingStateToo) {
  const std::vector<std::string> rest = {"--prompt", "a", "--tokens", "8", "--temperature", "0"};
  const auto with = [&](std::vector<std::string> flags) {
    flags.insert(flags.end(), rest.begin(), rest.end());
    const CommandResult result = Generate(flags);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  };
  EXPECT_EQ(with({"--from", Run() + "/state-4", "--tokenizer", Run()}),
            with({"--from", Run() + "/model"}));
}

TEST_F(GenerateCommand, SaysWhyItEnded) {
  const std::vector<std::string> flags = {"--from", Run(), "--prompt", "Once", "--seed", "3"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), flags.begin(), flags.end());
    CommandResult result = Generate(more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  };
  const CommandResult whole = with({"--tokens", "500", "--temperature", "0", "--top-k", "1"});
  EXPECT_THAT(whole.err, HasSubstr("context"));
  const std::string rest = whole.out.substr(std::string("Once").size());
  ASSERT_GT(rest.size(), 5u);
  const std::string stop = rest.substr(3, 2);
  const CommandResult stopped = with({"--tokens", "500", "--temperature", "0", "--stop", stop});
  EXPECT_EQ(stopped.out, "Once" + rest.substr(0, rest.find(stop)));
  EXPECT_THAT(stopped.err, HasSubstr("--stop"));
}

TEST_F(GenerateCommand, RefusesBadInputInOneLine) {
  ExpectRefused({}, "--from");
  ExpectRefused({"--from", test_folder->File("none")}, "none");
  ExpectRefused({"--from", Run(), "--tokenizer", test_folder->File("none.json")}, "none.json");
  ExpectRefused({"--from", Run(), "--temperature", "-1"}, "--temperature");
  ExpectRefused({"--from", Run(), "--temperature", "warm"}, "--temperature");
  ExpectRefused({"--from", Run(), "--top-k", "-1"}, "--top-k");
  ExpectRefused({"--from", Run(), "--top-p", "1.5"}, "--top-p");
  ExpectRefused({"--from", Run(), "--tokens", "-1"}, "--tokens");
  ExpectRefused({"--from", Run(), "--seed", "-1"}, "--seed");
  ExpectRefused({"--from", Run(), "--device", "tpu"}, "tpu");
  ExpectRefused({"--from", Run(), "--stop", "300"}, "--stop 300");
  ExpectRefused({"--from", Run(), "--system", "Be brief."}, "--chat");
  ExpectRefused({"--from", Run(), "--no-think"}, "--chat");
  ExpectRefused({"--from", Run(), "--chat", "--prompt", "Hi"}, "<|im_start|>");
  ExpectRefused({"--from", Run(), "--prompt", std::string(400, '#')}, "context is 40");
}

TEST_F(GenerateCommand, RefusesATokenizerOfMoreWordsThanTheModel) {
  const checkpoint::TestFolder other;
  TrainTinyRun(TinyPlain(), other.path());
  ExpectRefused({"--from", other.File("run"), "--tokenizer", Run() + "/tokenizer.json"}, "300");
}

TEST_F(GenerateCommand, ADeviceThatComputesNothingIsRefused) {
  ExpectRefused({"--from", Run(), "--device", "null"}, "null");
}

}  // namespace
}  // namespace millwright::testing
