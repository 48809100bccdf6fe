// A run folder that is damaged, foreign, in use or out of reach.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "checkpoint/training_state.h"
#include "tests/app/tiny_run.h"
#include "tests/faults/folder_contents.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

// A finished run of four micro-steps with states 2 and 4.
class RunFolder : public ::testing::Test {
 protected:
  void SetUp() override { TrainTinyRun(TinyPlain(), folder_.path(), {"--save-every", "2"}); }

  std::string Run(const std::string& name = "") const { return folder_.File("run/" + name); }

  CommandResult Resume(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"train", "--resume", "--out", folder_.File("run")});
    return RunCommand(TinyPlain(), std::move(more));
  }

  // Exit code 2, one line that says `what`, nothing on stdout, nothing changed on disk.
  void ExpectRefused(const std::vector<std::string>& arguments, const std::string& what) const {
    const auto before = ContentsOf(folder_.path());
    const CommandResult result = RunCommand(TinyPlain(), arguments);
    EXPECT_EQ(result.exit_code, 2) << what << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, StartsWith("millwright: "));
    EXPECT_THAT(result.err, HasSubstr(what));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_TRUE(ContentsOf(folder_.path()) == before) << "files changed: " << what;
  }
  void ExpectResumeRefused(std::vector<std::string> more, const std::string& what) const {
    more.insert(more.begin(), {"train", "--resume", "--out", folder_.File("run")});
    ExpectRefused(more, what);
  }

  checkpoint::TestFolder folder_;
};

TEST_F(RunFolder, DamagedStatesAreRefusedByFileAndTheOlderOneIsNamed) {
  for (const std::string file :
       {"weights.safetensors", "optimizer.safetensors", "state.json", "checksums"}) {
    const std::string path = Run("state-4/" + file);
    const std::string good = checkpoint::ReadBytes(path);
    ASSERT_FALSE(good.empty());
    std::string flipped = good;
    flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 4);
    for (const std::string& bad : {good.substr(0, good.size() / 2), flipped, good + "x",
                                   std::string(), std::string("once upon a time")}) {
      checkpoint::WriteBytes(path, bad);
      ExpectResumeRefused({"--steps", "8"}, "state-4/" + file);
      ExpectResumeRefused({"--steps", "8"}, "state-2 is complete");
    }
    fs::remove(path);
    ExpectResumeRefused({"--steps", "8"}, "state-4/" + file);
    checkpoint::WriteBytes(path, good);
  }
  // The advice that the message gives.
  fs::remove(Run("state-4/weights.safetensors"));
  checkpoint::WriteBytes(Run("LATEST"), "state-2\n");
  const CommandResult result = Resume();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("[RESUMED step 2"));
}

TEST_F(RunFolder, ForeignFilesAreRefused) {
  checkpoint::WriteBytes(Run("LATEST"), "../../etc\n");
  ExpectResumeRefused({}, "LATEST");
  checkpoint::WriteBytes(Run("LATEST"), "state-9\n");
  ExpectResumeRefused({}, "state-9");
  // A model is not a state.
  fs::copy(Run("model"), Run("state-9"));
  ExpectResumeRefused({}, "state-9/checksums");
}

TEST_F(RunFolder, OtherDataIsRefused) {
  // Other tokens under the same name.
  std::vector<int32_t> ids(200, 3);
  ASSERT_TRUE(data::WriteShard(folder_.File("data.bin"), ids, {.vocab = 23}).ok());
  ExpectResumeRefused({"--steps", "8"}, "tokens that the run was started with");
}

TEST_F(RunFolder, ResumeWithoutAStateIsAnError) {
  ExpectRefused({"train", "--resume", "--out", folder_.File("none")}, "no training state");
  fs::create_directory(folder_.File("empty"));
  ExpectRefused({"train", "--resume", "--out", folder_.File("empty")}, "no training state");
}

TEST_F(RunFolder, ScratchIsRefusedWhereARunIs) {
  const std::vector<std::string> scratch = {
      "train",    "--scratch", "--data", folder_.File("data.bin"), "--steps", "2", "--accum", "1",
      "--device", "reference", "--out",  folder_.File("run")};
  ExpectRefused(scratch, "--overwrite");
  // What a run that was cut short leaves behind is a run, too.
  for (const char* name : {"LATEST", "metrics.jsonl", "model"}) fs::remove_all(Run(name));
  ExpectRefused(scratch, "--overwrite");
  checkpoint::WriteBytes(Run("notes.txt"), "mine");
  std::vector<std::string> overwrite = scratch;
  overwrite.emplace_back("--overwrite");
  const CommandResult result = RunCommand(TinyPlain(), overwrite);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(checkpoint::ListStates(folder_.File("run")), (std::vector<int64_t>{2}));
  EXPECT_EQ(checkpoint::ReadBytes(Run("notes.txt")), "mine");
}

// A refused start leaves the run that it would have replaced.
TEST_F(RunFolder, OverwriteWithBadInputChangesNothing) {
  const std::vector<std::string> scratch = {
      "train", "--scratch", "--overwrite", "--device", "reference", "--out", folder_.File("run")};
  for (const auto& [flag, value] : std::vector<std::pair<std::string, std::string>>{
           {"--data", folder_.File("none.bin")}, {"--from", folder_.File("none")}, {"--lr", "0"}}) {
    std::vector<std::string> arguments = scratch;
    if (flag == "--from") arguments.erase(arguments.begin() + 1);
    arguments.insert(arguments.end(), {flag, value});
    ExpectRefused(arguments, flag);
  }
}

TEST_F(RunFolder, ContradictionsAreRefusedByName) {
  const std::pair<const char*, const char*> flags[] = {
      {"--lr", "2e-2"},        {"--seed", "1"},           {"--accum", "4"},
      {"--steps", "2"},        {"--warmup", "5"},         {"--clip", "2"},
      {"--vocab", "full"},     {"--binding", "packed"},   {"--seq", "5"},
      {"--qk-norm", "on"},     {"--device", "cpu"},       {"--data", "other.bin"},
      {"--val", "other.bin"},  {"--weight-decay", "0"},   {"--batch", "2"},
      {"--act-clip", "3"},     {"--residual-alpha", "2"}, {"--loss-scale", "2"},
      {"--precision", "fp16"}, {"--threads", "77"},       {"--moments", "bf16"},
      {"--beta1", "0.8"},      {"--beta2", "0.99"}};
  for (const auto& [flag, value] : flags) ExpectResumeRefused({flag, value}, flag);
  ExpectResumeRefused({"--scratch"}, "--scratch");
  ExpectResumeRefused({"--from", Run("model")}, "--from");
  ExpectResumeRefused({"--overwrite"}, "--overwrite");
}

TEST_F(RunFolder, AFinishedRunSaysSoAndALargerNumberExtendsIt) {
  const auto before = ContentsOf(folder_.path());
  CommandResult result =
      Resume({"--steps", "4", "--lr", "1e-2", "--seq", "6", "--save-every", "9"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("finished"));
  EXPECT_TRUE(ContentsOf(folder_.path()) == before);
  result = Resume({"--steps", "8"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("schedule changes"));
  EXPECT_EQ(checkpoint::ListStates(folder_.File("run")).back(), 8);
  result = Resume();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("8 of 8"));
}

TEST_F(RunFolder, AnOutFolderThatCannotBeIsRefused) {
  const std::string file = folder_.File("data.bin");
  const std::vector<std::string> scratch = {"train",    "--scratch", "--data", file,
                                            "--device", "reference", "--out"};
  const auto with = [&](const std::string& out) {
    std::vector<std::string> arguments = scratch;
    arguments.push_back(out);
    return arguments;
  };
  ExpectRefused(with(file), "--out");
  ExpectRefused(with(file + "/below/it"), "--out");
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::create_directory(folder_.File("locked"));
  ASSERT_EQ(::chmod(folder_.File("locked").c_str(), 0555), 0);
  ExpectRefused(with(folder_.File("locked")), "locked");
  ExpectRefused(with(folder_.File("locked/run")), "locked");
}

// A folder that vanishes or fills up during the run: the run fails with exit code 1, says where,
// and the states that were there are whole.
TEST_F(RunFolder, AStateThatCannotBeWrittenFailsTheRun) {
  fs::remove_all(Run("model"));
  checkpoint::WriteBytes(Run("model"), "a file where the folder should be");
  const CommandResult result = Resume({"--steps", "8"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("model"));
  const auto state = checkpoint::StateReader::OpenLatest(folder_.File("run"));
  ASSERT_TRUE(state.ok()) << state.error().message;
  fs::remove(Run("model"));
  EXPECT_EQ(Resume().exit_code, 0);
  EXPECT_TRUE(fs::exists(Run("model/config.json")));
}

}  // namespace
}  // namespace millwright::testing
