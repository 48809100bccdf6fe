// On a device that leaves the host free, gradients of weights and the staging of weights go on
// beside its work, and no number tells.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/training/forwarding_device.h"
#include "tests/training/trainer_run.h"
#include "train/overlap.h"

namespace millwright::testing {
namespace {

using train::PlanStep;
using train::StepKind;

// What goes on while the device runs, as the test sees it.
struct Watch {
  const train::Network<float>* network = nullptr;  // null: not watched
  int64_t fail_at = -1;                            // the run that fails
  int64_t runs = 0;
  int64_t overlapped = 0;  // runs during which a job was finished
};

// A slow device: where jobs wait beside a run, it takes until one of them is finished.
class SlowCall : public device::Call {
 public:
  SlowCall(std::unique_ptr<device::Call> call, Watch* watch)
      : call_(std::move(call)), watch_(watch) {}
  Status Run() override {
    if (++watch_->runs == watch_->fail_at) return Failed("the device is gone");
    if (watch_->network != nullptr) {
      const int64_t before = watch_->network->finished_beside();
      while (watch_->network->finished_beside() == before && Pending()) {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
      watch_->overlapped += watch_->network->finished_beside() != before;
    }
    return call_->Run();
  }

 private:
  bool Pending() const {
    return watch_->network->finished_beside() < watch_->network->pushed_beside();
  }

  std::unique_ptr<device::Call> call_;
  Watch* watch_;
};

class SlowExecutable : public device::Executable {
 public:
  SlowExecutable(std::unique_ptr<device::Executable> executable, Watch* watch)
      : executable_(std::move(executable)), watch_(watch) {}
  Result<std::unique_ptr<device::Call>> Bind(std::span<device::Surface* const> inputs,
                                             std::span<device::Surface* const> outputs) override {
    auto call = executable_->Bind(inputs, outputs);
    if (!call) return call.error();
    return std::unique_ptr<device::Call>(std::make_unique<SlowCall>(std::move(*call), watch_));
  }

 private:
  std::unique_ptr<device::Executable> executable_;
  Watch* watch_;
};

class SlowDevice : public ForwardingDevice {
 public:
  SlowDevice(std::unique_ptr<Device> device, Watch* watch)
      : ForwardingDevice(std::move(device)), watch_(watch) {
    caps_.asynchronous = true;
  }
  Result<std::unique_ptr<device::Executable>> Compile(const mil::Program& program,
                                                      const mil::WeightStore& weights) override {
    auto executable = ForwardingDevice::Compile(program, weights);
    if (!executable) return executable.error();
    return std::unique_ptr<device::Executable>(
        std::make_unique<SlowExecutable>(std::move(*executable), watch_));
  }

 private:
  Watch* watch_;
};

std::string Name(const ::testing::TestParamInfo<const char*>& info) { return info.param; }

class OverlapOn : public ::testing::TestWithParam<const char*> {};

TEST_P(OverlapOn, ChangesNoBit) {
  for (const kernels::Binding binding : {kernels::Binding::kPacked, kernels::Binding::kSeparate}) {
    TrainerRun plain(GetParam()), beside(GetParam());
    plain.options.binding = beside.options.binding = binding;
    Watch watch;
    beside.wrap = [&](std::unique_ptr<device::Device> device) {
      return std::make_unique<SlowDevice>(std::move(device), &watch);
    };
    EventLog log, other;
    const auto a = plain.Fresh(), b = beside.Fresh();
    EXPECT_FALSE(a->network().overlaps());
    EXPECT_TRUE(b->network().overlaps());
    RunToEnd(*a, log);
    RunToEnd(*b, other);
    EXPECT_EQ(other.Losses(), log.Losses());
    ExpectSameParameters(*a, *b);
    EXPECT_TRUE(other.Of<telemetry::StepEvent>().at(0).phases_ms.contains("dw_beside"));
    EXPECT_GT(watch.runs, 0);
  }
}

// Each layer has seven gradients. Three of them are made so large here that they cannot be finished
// before the next program starts.
TEST_P(OverlapOn, GradientsAreFinishedWhileTheDeviceRuns) {
  TrainerRun run(GetParam());
  run.options.config.hidden_dim = 40000;
  run.options.steps = 6;
  Watch watch;
  run.wrap = [&](std::unique_ptr<device::Device> device) {
    return std::make_unique<SlowDevice>(std::move(device), &watch);
  };
  const auto trainer = run.Fresh();
  train::Network<float>& network = trainer->network();
  watch.network = &network;
  EventLog log;
  RunToEnd(*trainer, log);
  const auto layers = run.options.config.layers;
  EXPECT_EQ(network.finished_beside(), run.options.steps * layers * 7);
  EXPECT_GE(watch.overlapped, run.options.steps * layers);
}

TEST_P(OverlapOn, AFailureOfTheDeviceLeavesNothingBehind) {
  TrainerRun run(GetParam());
  Watch watch;
  run.wrap = [&](std::unique_ptr<device::Device> device) {
    return std::make_unique<SlowDevice>(std::move(device), &watch);
  };
  const auto trainer = run.Fresh();
  train::Network<float>& network = trainer->network();
  const std::vector<int32_t> rows(static_cast<size_t>(network.positions()), 1);
  ASSERT_TRUE(network.LossAndGradient(rows, rows, 1.0).ok());
  const int64_t gradients = network.finished_beside();
  EXPECT_EQ(gradients, run.options.config.layers * 7);
  // The last program of a step, behind most of its gradients.
  watch.fail_at = 2 * watch.runs;
  const auto loss = network.LossAndGradient(rows, rows, 1.0);
  ASSERT_FALSE(loss.ok());
  EXPECT_THAT(loss.error().message, ::testing::HasSubstr("the device is gone"));
  const int64_t finished = network.finished_beside();
  EXPECT_GT(finished, gradients);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(network.finished_beside(), finished);
}

INSTANTIATE_TEST_SUITE_P(Devices, OverlapOn, ::testing::Values("reference", "cpu"), Name);

// The rule by hand: a gradient reads dy and x; whoever writes over either waits for it, nobody
// else.
TEST(StepsToWaitFor, NamesTheLastReaderOfWhatIsWritten) {
  const auto gradient = [](const char* dy, const char* x) {
    return PlanStep{.kind = StepKind::kWeightGradient, .buffers = {{"dy", dy}, {"x", x}}};
  };
  const auto add = [](const char* a, const char* b, const char* y) {
    return PlanStep{.kind = StepKind::kAdd, .buffers = {{"a", a}, {"b", b}, {"y", y}}};
  };
  const std::vector<PlanStep> steps = {
      add("p", "q", "dy"),  // nothing is handed out
      gradient("dy", "x"),  // 1
      add("dy", "x", "z"),  // reads only
      gradient("z", "x"),   // 2
      add("p", "q", "dy"),  // over what 1 reads
      add("p", "q", "x"),   // over what 1 and 2 read
      add("p", "q", "p"),   // nobody's
  };
  EXPECT_EQ(train::StepsToWaitFor(steps, {}), (std::vector<int64_t>{0, 0, 0, 0, 1, 2, 0}));
}

// In the plan of a real network nothing that a gradient reads is written before it is done: played
// back with every gradient as late as its waits allow.
TEST(StepsToWaitFor, KeepsEveryOperandOfAPlan) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    for (const bool recompute : {false, true}) {
      kernels::KernelSpec spec{.config = config};
      const train::Plan plan =
          train::MakePlan(spec, {.act_clip = true, .residual_alpha = true, .recompute = recompute});
      const auto waits = train::StepsToWaitFor(plan.backward, spec);
      std::vector<const PlanStep*> handed_out;
      int64_t waiting = 0;
      for (size_t i = 0; i < plan.backward.size(); ++i) {
        const PlanStep& step = plan.backward[i];
        if (train::RunsBeside(step)) {
          handed_out.push_back(&step);
          continue;
        }
        waiting += waits[i] > 0;
        if (step.kind != StepKind::kKernel) continue;
        for (const auto& output : kernels::Get(step.kernel).operands(spec).outputs) {
          const std::string& written = step.buffers.at(output.name);
          for (size_t job = static_cast<size_t>(waits[i]); job < handed_out.size(); ++job) {
            for (const auto& [role, buffer] : handed_out[job]->buffers) EXPECT_NE(buffer, written);
          }
        }
      }
      EXPECT_GT(waiting, 0);
      EXPECT_EQ(handed_out.size(), static_cast<size_t>(config.layers) * 7);
    }
  }
}

}  // namespace
}  // namespace millwright::testing
