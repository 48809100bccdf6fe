// Runs that are interrupted or killed, and go on as if they had not been.
#include <gmock/gmock.h>

#include "checkpoint/training_state.h"
#include "telemetry/metrics_reader.h"
#include "tests/app/tiny_run.h"
#include "tests/faults/child.h"

namespace millwright::testing {
namespace {

class Interrupt : public ::testing::Test {
 protected:
  void SetUp() override { WriteTinyShard(folder_.File("data.bin")); }

  std::vector<std::string> Scratch(const std::string& run, int64_t steps) const {
    return {"train",        "--scratch",
            "--data",       folder_.File("data.bin"),
            "--steps",      std::to_string(steps),
            "--accum",      "3",
            "--device",     "reference",
            "--threads",    "1",
            "--save-every", "6",
            "--out",        folder_.File(run)};
  }
  std::vector<std::string> Resume(const std::string& run) const {
    return {"train", "--resume", "--out", folder_.File(run)};
  }

  // Micro-steps that the metrics tell of; 0 if there are none yet.
  int64_t StepsDone(const std::string& run) const {
    const auto metrics = telemetry::ReadMetrics(folder_.File(run + "/metrics.jsonl"));
    return metrics && !metrics->steps.empty() ? metrics->steps.rbegin()->first : 0;
  }

  std::map<int64_t, float> Losses(const std::string& run) const {
    const auto metrics = telemetry::ReadMetrics(folder_.File(run + "/metrics.jsonl"));
    EXPECT_TRUE(metrics.ok()) << (metrics.ok() ? "" : metrics.error().message);
    std::map<int64_t, float> losses;
    for (const auto& [step, event] : metrics->steps) losses[step] = event.loss;
    return losses;
  }

  // The losses of a run that nothing disturbed.
  std::map<int64_t, float> Undisturbed(int64_t steps) {
    const CommandResult result = RunCommand(TinyPlain(), Scratch("straight", steps));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Losses("straight");
  }

  checkpoint::TestFolder folder_;
};

TEST_F(Interrupt, SavesAndResumes) {
  constexpr int64_t kSteps = 400;
  const auto expected = Undisturbed(kSteps);
  ASSERT_EQ(expected.size(), static_cast<size_t>(kSteps));
  const std::pair<int, std::vector<std::string>> parts[] = {{SIGINT, Scratch("run", kSteps)},
                                                            {SIGTERM, Resume("run")}};
  for (const auto& [signal, arguments] : parts) {
    const int64_t goal = StepsDone("run") + 20;
    Child child(TinyPlain(), arguments);
    ASSERT_TRUE(child.WaitUntil([&] { return StepsDone("run") >= goal; }));
    child.Signal(signal);
    EXPECT_EQ(child.Wait(), 130);
    const auto state = checkpoint::StateReader::OpenLatest(folder_.File("run"));
    ASSERT_TRUE(state.ok()) << state.error().message;
    // That of the last update.
    EXPECT_EQ(state->step(), StepsDone("run") / 3 * 3);
    EXPECT_TRUE(std::filesystem::exists(folder_.File("run/model/config.json")));
  }
  const CommandResult rest = RunCommand(TinyPlain(), Resume("run"));
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_EQ(Losses("run"), expected);
}

TEST_F(Interrupt, KilledAtAnyMomentItGoesOnFromTheLastState) {
  constexpr int64_t kSteps = 300;
  const auto expected = Undisturbed(kSteps);
  std::vector<std::string> arguments = Scratch("run", kSteps);
  for (const int64_t ahead : {9, 1, 14, 2, 25, 5}) {
    const int64_t goal = StepsDone("run") + ahead;
    Child child(TinyPlain(), arguments);
    ASSERT_TRUE(child.WaitUntil([&] { return StepsDone("run") >= goal; }));
    child.Signal(SIGKILL);
    ASSERT_EQ(child.Wait(), -SIGKILL);
    arguments = Resume("run");
  }
  const CommandResult rest = RunCommand(TinyPlain(), arguments);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_EQ(Losses("run"), expected);
}

}  // namespace
}  // namespace millwright::testing
