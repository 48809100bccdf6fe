// Weights that are baked in, on a device that allows a process few compiles: the run goes on from
// its state in another process, and no number tells.
#include <gmock/gmock.h>

#include "tests/training/forwarding_device.h"
#include "tests/training/trainer_run.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using train::RunEnd;

// Two layers times eight kernels with weights.
constexpr int64_t kProgramsPerUpdate = 16;

// Refuses what is over its budget, as a process on an ANE finds it refused.
class BudgetedDevice : public ForwardingDevice {
 public:
  BudgetedDevice(std::unique_ptr<Device> device, int budget) : ForwardingDevice(std::move(device)) {
    caps_.compile_budget = budget;
  }
  int64_t compilations() const override { return compiled_; }
  Result<std::unique_ptr<device::Executable>> Compile(const mil::Program& program,
                                                      const mil::WeightStore& weights) override {
    if (compiled_ == caps_.compile_budget) return Failed("the compiler refuses");
    ++compiled_;
    return ForwardingDevice::Compile(program, weights);
  }

 private:
  int compiled_ = 0;
};

// Runs to the end, with a new trainer on a new device for each process; the last one.
std::unique_ptr<train::Trainer> RunInProcesses(TrainerRun& run, EventLog& log) {
  auto trainer = run.Fresh();
  for (int process = 1; process < 100; ++process) {
    const auto end = trainer->Run(log, log.stop);
    EXPECT_TRUE(end.ok()) << (end.ok() ? "" : end.error().message);
    if (!end.ok() || *end == RunEnd::kDone) return trainer;
    EXPECT_EQ(*end, RunEnd::kRestart);
    trainer = run.Resumed();
  }
  ADD_FAILURE() << "the run never ends";
  return trainer;
}

class RestartOn : public ::testing::TestWithParam<const char*> {
 protected:
  static void Prepare(TrainerRun& run) {
    run.options.val_every = 6;
    run.val = data::MakeTokenList(DrawWords({1, 2, 3, 5}, 100, 7), "val");
  }
};

TEST_P(RestartOn, ChangesNoBit) {
  TrainerRun straight(GetParam()), restarted(GetParam());
  for (TrainerRun* run : {&straight, &restarted}) Prepare(*run);
  restarted.options.binding = kernels::Binding::kConstant;
  // Enough for the first weights and for two of the four updates.
  restarted.wrap = [](std::unique_ptr<device::Device> device) {
    return std::make_unique<BudgetedDevice>(std::move(device), 2 + 3 * kProgramsPerUpdate);
  };
  straight.options.binding = kernels::Binding::kConstant;
  EventLog log, pieces;
  const auto whole = straight.Fresh();
  RunToEnd(*whole, log);
  const auto last = RunInProcesses(restarted, pieces);
  EXPECT_EQ(pieces.Losses(), log.Losses());
  EXPECT_EQ(pieces.Of<telemetry::StepEvent>().size(), 12u);
  ExpectSameParameters(*whole, *last);
  const auto expected = log.Of<telemetry::ValidationEvent>();
  const auto found = pieces.Of<telemetry::ValidationEvent>();
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].step, expected[i].step);
    EXPECT_EQ(found[i].val_loss, expected[i].val_loss);
  }
}

TEST_P(RestartOn, CountsOverAllProcesses) {
  TrainerRun run(GetParam());
  run.options.binding = kernels::Binding::kConstant;
  // The first weights and no update's.
  run.wrap = [](std::unique_ptr<device::Device> device) {
    return std::make_unique<BudgetedDevice>(std::move(device), 2 + kProgramsPerUpdate);
  };
  EventLog log;
  const auto last = RunInProcesses(run, log);
  // Four updates; after the last one nothing is left to do.
  EXPECT_EQ(last->totals().processes, 4);
  EXPECT_EQ(last->totals().programs, 4 * last->network().session().compiles().programs);
  EXPECT_EQ(last->totals().steps, 12);
  EXPECT_GT(last->totals().wall_ms, last->totals().train_ms);
}

TEST_P(RestartOn, ARunThatWasStoppedThereGoesOnLikeAnyOther) {
  TrainerRun straight(GetParam()), stopped(GetParam());
  straight.options.binding = stopped.options.binding = kernels::Binding::kConstant;
  EventLog log, first, second;
  RunToEnd(*straight.Fresh(), log);
  stopped.wrap = [](std::unique_ptr<device::Device> device) {
    return std::make_unique<BudgetedDevice>(std::move(device), 2 + kProgramsPerUpdate);
  };
  first.stop_after = 3;  // the update of this micro-step spends the budget
  RunToEnd(*stopped.Fresh(), first, RunEnd::kInterrupted);
  stopped.wrap = nullptr;
  RunToEnd(*stopped.Resumed(), second);
  for (const auto& [step, loss] : second.Losses()) EXPECT_EQ(loss, log.Losses().at(step)) << step;
  EXPECT_EQ(second.Losses().begin()->first, 4);
}

TEST_P(RestartOn, ABudgetTooSmallForOneUpdateIsRefused) {
  TrainerRun run(GetParam());
  run.options.binding = kernels::Binding::kConstant;
  run.wrap = [](std::unique_ptr<device::Device> device) {
    return std::make_unique<BudgetedDevice>(std::move(device), kProgramsPerUpdate);
  };
  const auto trainer = run.Create();
  const Status status = trainer->Init();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("a process may compile 16; binding packed"));
}

// What others have compiled in the process counts too.
TEST_P(RestartOn, TheBudgetIsTheProcesss) {
  TrainerRun run(GetParam());
  run.options.binding = kernels::Binding::kConstant;
  run.wrap = [](std::unique_ptr<device::Device> device) {
    return std::make_unique<BudgetedDevice>(std::move(device), 2 * (2 + kProgramsPerUpdate));
  };
  const auto first = run.Fresh();
  EXPECT_TRUE(first->network().session().CanStage());
  auto other = runtime::Session<float>::Open(
      *run.devices.back(), {.config = run.options.config, .binding = kernels::Binding::kPacked});
  ASSERT_TRUE(other.ok()) << other.error().message;
  EXPECT_FALSE(first->network().session().CanStage());
}

TEST_P(RestartOn, WeightsThatAreDataNeedNone) {
  TrainerRun run(GetParam());
  run.options.binding = kernels::Binding::kPacked;
  run.wrap = [](std::unique_ptr<device::Device> device) {
    return std::make_unique<BudgetedDevice>(std::move(device), 10);
  };
  EventLog log;
  const auto trainer = run.Fresh();
  RunToEnd(*trainer, log);
  EXPECT_EQ(trainer->totals().programs, 10);
}

INSTANTIATE_TEST_SUITE_P(Devices, RestartOn, ::testing::Values("reference", "cpu"));

}  // namespace
}  // namespace millwright::testing
