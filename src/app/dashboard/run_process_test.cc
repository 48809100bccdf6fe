#include "app/dashboard/run_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>

#include "checkpoint/test_folder.h"

namespace millwright::app::dashboard {
namespace {

using ::testing::HasSubstr;

constexpr double kPlenty = 60;  // seconds

// A program that stands for this binary: a shell script with `body`.
class RunProcessTest : public ::testing::Test {
 protected:
  std::string Script(const std::string& body) {
    std::string path = folder_.File("program");
    checkpoint::WriteBytes(path, "#!/bin/sh\n" + body);
    ::chmod(path.c_str(), 0755);
    return path;
  }
  std::unique_ptr<RunProcess> Start(const std::string& body,
                                    std::vector<std::string> arguments = {"--scratch"}) {
    auto run =
        RunProcess::Start({.run_dir = run_dir_, .arguments = std::move(arguments)}, Script(body));
    EXPECT_TRUE(run.ok()) << (run.ok() ? "" : run.error().message);
    return run.ok() ? *std::move(run) : nullptr;
  }
  std::string Log() const { return checkpoint::ReadBytes(run_dir_ + "/train.log"); }

  checkpoint::TestFolder folder_;
  std::string run_dir_ = folder_.File("run");
};

TEST_F(RunProcessTest, PassesArgumentsOnAndKeepsWhatIsPrinted) {
  auto run = Start("echo \"$@\"; echo warning >&2; exit 3\n", {"--scratch", "--lr", "1e-3"});
  const auto end = run->WaitFor(kPlenty);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_EQ(end->ToString(), "exit code 3");
  EXPECT_EQ(Log(), "train --scratch --lr 1e-3\nwarning\n");
}

TEST_F(RunProcessTest, StopsWithOneInterruptHoweverOftenItIsAsked) {
  auto run = Start(
      "trap 'n=$((n+1)); echo interrupted $n' INT; echo ready\n"
      "i=0; while [ -z \"$n\" ] && [ $i -lt 600 ]; do sleep 0.1; i=$((i+1)); done; sleep 0.5\n"
      "exit 130\n");
  for (int i = 0; i < 600 && Log().empty(); ++i) run->WaitFor(0.05);
  EXPECT_FALSE(run->Poll());
  for (int i = 0; i < 3; ++i) run->StopAndSave();
  EXPECT_TRUE(run->stopping());
  const auto end = run->WaitFor(kPlenty);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 130);
  EXPECT_EQ(Log(), "ready\ninterrupted 1\n");
}

TEST_F(RunProcessTest, TellsOfASignal) {
  auto run = Start("kill -9 $$\n");
  const auto end = run->WaitFor(kPlenty);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->signal, SIGKILL);
  EXPECT_THAT(end->ToString(), HasSubstr("signal 9"));
}

TEST_F(RunProcessTest, ARefusedRunLeavesNothingBehind) {
  Start("echo 'millwright: bad flag'; exit 2\n")->WaitFor(kPlenty);
  EXPECT_FALSE(std::filesystem::exists(run_dir_));
  // What was there before stays.
  std::filesystem::create_directory(run_dir_);
  Start("exit 2\n")->WaitFor(kPlenty);
  EXPECT_TRUE(std::filesystem::exists(run_dir_));
}

TEST_F(RunProcessTest, ARunFromScratchBeginsItsLogAnew) {
  Start("echo first\n")->WaitFor(kPlenty);
  Start("echo second\n", {"--resume"})->WaitFor(kPlenty);
  EXPECT_EQ(Log(), "first\nsecond\n");
  Start("echo third\n")->WaitFor(kPlenty);
  EXPECT_EQ(Log(), "third\n");
}

TEST_F(RunProcessTest, GoesOnWithoutTheObject) {
  const std::string done = folder_.File("done");
  Start("sleep 0.3; echo yes > '" + done + "'\n").reset();
  for (int i = 0; i < 600 && checkpoint::ReadBytes(done).empty(); ++i) ::usleep(50000);
  EXPECT_EQ(checkpoint::ReadBytes(done), "yes\n");
}

TEST_F(RunProcessTest, SaysWhatCannotBeDone) {
  checkpoint::WriteBytes(folder_.File("file"), "x");
  auto run = RunProcess::Start({.run_dir = folder_.File("file/run"), .arguments = {}}, "/bin/true");
  ASSERT_FALSE(run.ok());
  EXPECT_THAT(run.error().message, HasSubstr("file/run"));
  run = RunProcess::Start(RunPlan::Resume(run_dir_), folder_.File("no program"));
  ASSERT_FALSE(run.ok());
  EXPECT_THAT(run.error().message, HasSubstr("no program"));
}

}  // namespace
}  // namespace millwright::app::dashboard
