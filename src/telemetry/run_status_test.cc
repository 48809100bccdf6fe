#include "telemetry/run_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "base/rng.h"
#include "checkpoint/test_folder.h"
#include "telemetry/duration.h"

namespace millwright::telemetry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kStart = 1.7e9;

// A run of micro-steps that take 0.8 s each, on a clock of its own.
class Watched : public testing::Test {
 protected:
  Watched() {
    ConfigEvent config{.settings = {{"settings", {{"steps", 1000}, {"accum", 2}}}}};
    config.time = now_;
    config.pid = 17;
    Add(config);
  }
  void Add(const Event& event) { watch_.Add(event); }
  void Step(double loss, double seconds = 0.8) {
    now_ += seconds;
    StepEvent event;
    event.step = ++step_;
    event.loss = static_cast<float>(loss);
    event.ms = 800;
    event.time = now_;
    Add(event);
  }
  RunStatus After(double seconds, std::optional<bool> lives = true) const {
    return watch_.Assess({.now = now_ + seconds, .exists = true, .process_lives = lives});
  }
  std::vector<std::string> Texts(const RunStatus& status) const {
    std::vector<std::string> texts;
    for (const Finding& finding : status.findings) texts.push_back(finding.text);
    return texts;
  }

  RunWatch watch_;
  double now_ = kStart;
  int64_t step_ = 0;
};

TEST_F(Watched, ARunThatGoesOnSaysHowLongItWill) {
  EXPECT_EQ(After(3).state, RunState::kStarting);
  for (int i = 0; i < 100; ++i) Step(4);
  const RunStatus status = After(0.5);
  EXPECT_EQ(status.state, RunState::kRunning);
  EXPECT_EQ(status.step, 100);
  EXPECT_EQ(status.steps, 1000);
  EXPECT_DOUBLE_EQ(status.progress, 0.1);
  EXPECT_NEAR(*status.seconds_left, 900 * 0.8, 1e-3);
  EXPECT_NEAR(status.seconds_run, 80, 1e-3);
  EXPECT_EQ(status.headline, "step 100 of 1000, 12m00s left");
  EXPECT_THAT(status.findings, IsEmpty());
}

TEST_F(Watched, ASilentRunIsStalled) {
  for (int i = 0; i < 30; ++i) Step(4);
  EXPECT_EQ(After(9).state, RunState::kRunning);
  const RunStatus status = After(40);
  EXPECT_EQ(status.state, RunState::kStalled);
  EXPECT_EQ(status.headline, "stalled: no line for 40s while a step takes 0.8s");
  EXPECT_THAT(Texts(status), ElementsAre(status.headline));
  EXPECT_EQ(status.findings.at(0).severity, Severity::kAlarm);
  EXPECT_FALSE(status.seconds_left.has_value());
  // A line of any kind ends the silence.
  EXPECT_EQ(watch_.Assess({.now = now_ + 40, .last_write = now_ + 39}).state, RunState::kRunning);
}

// Silences that the run has had before, and those that its settings explain, are none.
TEST_F(Watched, ValidationIsNoStall) {
  ConfigEvent config;
  config.settings = {{"settings", {{"steps", 1000}, {"val-every", 50}, {"val-windows", 100}}}};
  config.time = now_;
  Add(config);
  for (int i = 0; i < 50; ++i) Step(4);
  EXPECT_EQ(After(60).state, RunState::kRunning);
  EXPECT_EQ(After(100).state, RunState::kStalled);
  Step(4, 60);
  EXPECT_EQ(After(150).state, RunState::kRunning);
}

TEST_F(Watched, AProcessThatIsGoneIsSaid) {
  for (int i = 0; i < 30; ++i) Step(4);
  Add(CheckpointEvent{20, "runs/x/state-20", 5});
  EXPECT_EQ(After(1, std::nullopt).state, RunState::kRunning);
  const RunStatus status = After(1, false);
  EXPECT_EQ(status.state, RunState::kCutOff);
  EXPECT_EQ(status.headline,
            "cut off after step 30: process 17 is gone; --resume goes on from step 20");
}

TEST_F(Watched, HowARunEnded) {
  Step(4);
  for (const auto& [reason, state, text] :
       {std::tuple{"done", RunState::kDone, "run ended: done, 1 steps in 1m00s"},
        std::tuple{"interrupted", RunState::kInterrupted, "run ended: interrupted after step 1"},
        std::tuple{"failed", RunState::kFailed, "run ended: failed after step 1: no memory"}}) {
    RunWatch watch = watch_;
    watch.Add(EndEvent{1, reason, 60, state == RunState::kFailed ? "no memory" : ""});
    const RunStatus status = watch.Assess({.now = now_ + 1000, .process_lives = false});
    EXPECT_EQ(status.state, state);
    EXPECT_THAT(status.headline, HasSubstr(text));
    EXPECT_THAT(Texts(status), ElementsAre(status.headline));
  }
  // The next start is another life.
  Add(EndEvent{1, "interrupted", 60});
  ConfigEvent config;
  config.time = now_ + 1000;
  config.first_step = 1;
  Add(config);
  EXPECT_EQ(After(1001).state, RunState::kStarting);
  EXPECT_THAT(After(1001).findings, IsEmpty());
  EXPECT_EQ(After(1001).seconds_run, 60);
}

TEST_F(Watched, ANaNIsSaid) {
  for (int i = 0; i < 30; ++i) Step(4);
  Step(NAN);
  EXPECT_THAT(Texts(After(0.1)), ElementsAre("loss is NaN or infinite at step 31"));
  Step(INFINITY);
  EXPECT_THAT(Texts(After(0.1)), ElementsAre(HasSubstr("step 31, and at 1 later ones")));
  EXPECT_TRUE(std::isnan(After(0.1).loss) || std::isinf(After(0.1).loss));
  EXPECT_NEAR(After(0.1).smoothed_loss, 4, 1e-6);
  // A resume from before it makes it good.
  step_ = 25;
  Step(4);
  EXPECT_THAT(After(0.1).findings, IsEmpty());
}

TEST_F(Watched, ASpikeIsSaidOnce) {
  for (int i = 0; i < 60; ++i) Step(i % 2 == 0 ? 4.2 : 3.8);
  EXPECT_THAT(After(0.1).findings, IsEmpty());
  for (int i = 0; i < 5; ++i) Step(9);
  for (int i = 0; i < 60; ++i) Step(i % 2 == 0 ? 4.2 : 3.8);
  const RunStatus status = After(0.1);
  ASSERT_THAT(Texts(status), ElementsAre(HasSubstr("loss spike: 9.0000 at step 61, 3.99")));
  EXPECT_EQ(status.findings[0].severity, Severity::kWarning);
}

// The descent of a beginning and ordinary noise are no spikes.
TEST_F(Watched, AnOrdinaryCurveHasNoSpikes) {
  const Rng rng(3, 0);
  for (int i = 0; i < 2000; ++i) {
    const double noise = (static_cast<double>(rng.Below(i, 1000)) / 500 - 1) * 0.6;
    Step(4 + 5 * std::exp(-i / 100.0) + noise);
  }
  EXPECT_THAT(After(0.1).findings, IsEmpty());
}

TEST_F(Watched, SkippedUpdatesAndSickTensorsAreSaid) {
  Step(4);
  Add(UpdateEvent{.step = 1, .update = 1});
  Add(UpdateEvent{.step = 2, .update = 2, .skipped = true});
  Add(WarningEvent{2, "non-finite gradients: update 2 skipped"});
  TensorsEvent tensors{2, {}};
  tensors.tensors.push_back({"a", 0, 4, {1, 1, 0, 0, {}}, TensorSummary{1, 1, 0, 3, {}}});
  tensors.tensors.push_back({"b", 1, 4, {1, 1, 0, 0, {}}, TensorSummary{1, 1, 0, 0, {}}});
  Add(tensors);
  EXPECT_THAT(Texts(After(0.1)),
              ElementsAre("NaN or infinite elements at step 2 in a",
                          HasSubstr("1 of 2 updates skipped, gradients were not finite")));
  tensors.tensors[0].gradient->not_finite = 0;
  Add(tensors);
  EXPECT_THAT(Texts(After(0.1)), ElementsAre(HasSubstr("skipped")));
}

TEST_F(Watched, AFullDiskIsSaid) {
  Step(4);
  RunStatus status = watch_.Assess({.now = now_, .free_bytes = 12 << 20});
  EXPECT_THAT(Texts(status), ElementsAre("disk full: 12.6 MB are free where the run folder lies"));
  EXPECT_EQ(status.findings[0].severity, Severity::kAlarm);
  status = watch_.Assess({.now = now_, .free_bytes = 512 << 20});
  EXPECT_EQ(status.findings.at(0).severity, Severity::kWarning);
  Add(EndEvent{1, "failed", 1, "runs/x/state-2.tmp: cannot be written: No space left on device"});
  EXPECT_THAT(Texts(After(1)), ElementsAre(HasSubstr("disk full: runs/x/state-2.tmp")));
}

TEST_F(Watched, AValidationThatGetsNoBetterIsSaid) {
  for (int64_t step = 10; step <= 50; step += 10)
    Add(ValidationEvent{step, 5.0 - 0.01 * static_cast<double>(step), 4});
  EXPECT_THAT(After(0.1).findings, IsEmpty());
  for (int64_t step = 60; step <= 100; step += 10) Add(ValidationEvent{step, 4.6, 4});
  EXPECT_THAT(Texts(After(0.1)), ElementsAre(HasSubstr("best 4.5000 at step 50")));
}

TEST(PhaseSplit, BooksEveryMillisecond) {
  StepEvent step;
  step.ms = 100;
  step.phases_ms = {{"forward", 20}, {"norm", 1},       {"backward", 30}, {"staging_forward", 2},
                    {"dw", 25},      {"classifier", 9}, {"new", 3}};
  const PhaseSplit split = SplitPhases(step, 7);
  EXPECT_EQ(split.forward, 21);
  EXPECT_EQ(split.staging, 2);
  EXPECT_EQ(split.optimizer, 7);
  EXPECT_EQ(split.other, 13);
  EXPECT_EQ(split.total(), 107);
  EXPECT_EQ(Mix(PhaseSplit(), split, 0.5).dw, 12.5);
}

TEST(Duration, IsReadable) {
  EXPECT_EQ(ReadableDuration(0.8), "0.8s");
  EXPECT_EQ(ReadableDuration(40), "40s");
  EXPECT_EQ(ReadableDuration(125), "2m05s");
  EXPECT_EQ(ReadableDuration(11400), "3h10m");
  EXPECT_EQ(ReadableDuration(4 * 86400 + 7200), "4d02h");
  EXPECT_EQ(ReadableDuration(NAN), "?");
  EXPECT_EQ(ReadableDuration(-1), "0.0s");
}

TEST(Surroundings, AreThoseOfTheFolderAndTheProcess) {
  const checkpoint::TestFolder folder;
  ConfigEvent config;
  config.pid = ::getpid();
  config.host = HostName();
  EXPECT_FALSE(LookAround(folder.path(), &config).exists);
  checkpoint::WriteBytes(folder.File("metrics.jsonl"), "{}\n");
  Surroundings around = LookAround(folder.path(), &config);
  EXPECT_TRUE(around.exists);
  EXPECT_EQ(around.process_lives, true);
  EXPECT_GT(around.free_bytes.value_or(0), 0u);
  EXPECT_NEAR(around.last_write.value_or(0), around.now, 60);
  config.host += "x";
  EXPECT_FALSE(LookAround(folder.path(), &config).process_lives.has_value());
  EXPECT_FALSE(LookAround(folder.File("none"), nullptr).exists);
}

}  // namespace
}  // namespace millwright::telemetry
