// What need not pass through the host's memory: the list played back, and the numbers of a device.
#include "train/residency.h"

#include <gmock/gmock.h>

#include "tests/training/trainer_run.h"
#include "train/overlap.h"

namespace millwright::testing {
namespace {

using runtime::OperandFlow;
using runtime::OperandSource;
using train::PlanStep;
using train::StepKind;

// Every value has a number. What host memory, the places on the device and a right answer hold are
// followed step by step; a read of anything but the right value is a failure.
class Playback {
 public:
  explicit Playback(const kernels::KernelSpec& spec) : spec_(spec) {}

  void Run(const std::vector<PlanStep>& steps, const std::vector<OperandFlow>& flows) {
    ASSERT_EQ(steps.size(), flows.size());
    for (size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].kind == StepKind::kKernel) {
        Kernel(steps[i], flows[i]);
      } else {
        EXPECT_EQ(flows[i], OperandFlow());
        HostStep(steps[i]);
      }
    }
  }
  void HostReads(const std::string& buffer) {
    if (!right_.contains(buffer)) return;
    EXPECT_EQ(host_[buffer], right_[buffer]) << buffer;
  }
  void HostWrites(const std::string& buffer) { host_[buffer] = right_[buffer] = ++last_; }

  int64_t from_device() const { return from_device_; }
  int64_t stayed() const { return stayed_; }
  const std::set<std::string>& never_copied() const { return never_copied_; }

 private:
  void HostStep(const PlanStep& step) {
    for (const auto& [role, buffer] : step.buffers) HostReads(buffer);
    for (const std::string& buffer : train::WrittenBuffers(step, spec_)) HostWrites(buffer);
  }

  void Kernel(const PlanStep& step, const OperandFlow& flow) {
    const kernels::Operands operands = kernels::Get(step.kernel).operands(spec_);
    std::map<OperandSource, int64_t> written;  // after all are read
    for (const kernels::Operand& operand : operands.inputs) {
      if (operand.weight) continue;
      const std::string& buffer = step.buffers.at(operand.name);
      const auto from = flow.from.find(operand.name);
      if (from != flow.from.end()) {
        EXPECT_EQ(places_[from->second], right_[buffer])
            << kernels::Get(step.kernel).name << " " << operand.name;
        EXPECT_NE(from->second.kernel, step.kernel);
        ++from_device_;
      } else {
        HostReads(buffer);
        EXPECT_TRUE(right_.contains(buffer)) << buffer << " is read before it is written";
      }
      written[{step.kernel, operand.name}] = right_[buffer];
    }
    for (const auto& [place, value] : written) places_[place] = value;
    for (const kernels::Operand& operand : operands.outputs) {
      const std::string& buffer = step.buffers.at(operand.name);
      places_[{step.kernel, operand.name}] = right_[buffer] = ++last_;
      if (flow.stays.contains(operand.name)) {
        host_[buffer] = -1;
        ++stayed_;
        never_copied_.insert(operand.name);
      } else {
        host_[buffer] = right_[buffer];
      }
    }
  }

  const kernels::KernelSpec& spec_;
  std::map<std::string, int64_t> right_, host_;
  std::map<OperandSource, int64_t> places_;
  std::set<std::string> never_copied_;
  int64_t last_ = 0, from_device_ = 0, stayed_ = 0;
};

TEST(ResidencyTest, EveryReaderFindsTheRightValue) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    for (const bool recompute : {false, true}) {
      for (const bool clip : {false, true}) {
        for (const char* offload : {"", "rmsnorm-bwd", "all"}) {
          kernels::KernelSpec spec{.config = config, .offload = *kernels::ParseOffload(offload)};
          const train::Plan plan = train::MakePlan(
              spec, {.act_clip = clip, .residual_alpha = clip, .recompute = recompute});
          const std::set<std::string> host_reads = {"x_final", "dy"};
          const train::Residency found = train::FindResidency(plan, spec, host_reads);
          Playback playback(spec);
          // Twice: a step must not live on what the one before has left.
          for (int step = 0; step < 2; ++step) {
            playback.HostWrites("x.0");
            playback.Run(plan.forward, found.forward);
            playback.HostReads("x_final");
            playback.HostWrites("dx_final");
            playback.Run(plan.backward, found.backward);
            playback.HostReads("dy");
          }
          // The scores, their gradient and that of attention's output, for each layer.
          EXPECT_THAT(playback.never_copied(), ::testing::IsSupersetOf({"probs", "dp", "dattn"}));
          EXPECT_GE(playback.stayed(), 2 * 3 * config.layers);
          EXPECT_GE(playback.from_device(), 2 * 4 * config.layers);
        }
      }
    }
  }
}

// A forward step and its repetition are one launch, which takes an operand from one place.
TEST(ResidencyTest, StepsOfOneLaunchHaveOneFlow) {
  kernels::KernelSpec spec{.config = TinyMha()};
  spec.config.layers = 4;
  const train::Plan plan = train::MakePlan(spec, {.recompute = true});
  const train::Residency found = train::FindResidency(plan, spec, {"x_final", "dy"});
  std::map<std::pair<kernels::KernelId, int64_t>, OperandFlow> flows;
  int64_t repeated = 0;
  for (const auto& [steps, list] :
       {std::pair{&plan.forward, &found.forward}, {&plan.backward, &found.backward}}) {
    for (size_t i = 0; i < steps->size(); ++i) {
      const PlanStep& step = (*steps)[i];
      if (step.kind != StepKind::kKernel) continue;
      const auto [known, is_new] = flows.try_emplace({step.kernel, step.layer}, (*list)[i]);
      if (is_new) continue;
      ++repeated;
      EXPECT_EQ(known->second, (*list)[i]);
    }
  }
  EXPECT_EQ(repeated, 3 * 3);
}

// On a device that keeps operands in memory of its own.
TEST(ResidencyTest, CopiesAreFewerThanOperands) {
  for (const kernels::Binding binding : kBindings) {
    TrainerRun run("reference");
    run.device_options.precision = Precision::kAne;
    run.options.precision = "ane";
    run.options.binding = binding;
    run.options.loss_scale = 256;
    EventLog log;
    const auto trainer = run.Fresh();
    RunToEnd(*trainer, log);
    const train::RunTotals totals = trainer->totals();
    int64_t operands = 0;
    const kernels::KernelSpec& spec = trainer->network().session().spec();
    for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
      const kernels::Operands all = kernel->operands(spec);
      for (const auto& input : all.inputs) operands += !input.weight;
      operands += static_cast<int64_t>(all.outputs.size());
    }
    operands *= totals.steps * run.options.config.layers;
    EXPECT_EQ(totals.kernels.runs, totals.steps * run.options.config.layers * 10);
    EXPECT_GE(totals.kernels.handed_on, totals.steps * run.options.config.layers * 4);
    // What is handed on is neither copied in nor, mostly, copied out.
    EXPECT_LE(totals.kernels.copies,
              operands - totals.kernels.handed_on - totals.steps * run.options.config.layers * 3);
    EXPECT_GT(totals.kernels.copied_bytes, 0);
  }
}

}  // namespace
}  // namespace millwright::testing
