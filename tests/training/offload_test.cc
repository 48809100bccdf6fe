// Classifier, softmax and RMSNorms on the device instead of the host: the same training.
#include <gmock/gmock.h>

#include "base/tolerance.h"
#include "tests/training/forwarding_device.h"
#include "tests/training/gradient_check.h"
#include "tests/training/trainer_run.h"

namespace millwright::testing {
namespace {

// A device whose surfaces are so narrow that the classifier needs several launches.
class NarrowDevice : public ForwardingDevice {
 public:
  NarrowDevice(std::unique_ptr<device::Device> device, int64_t max_width)
      : ForwardingDevice(std::move(device)), caps_(ForwardingDevice::caps()) {
    caps_.max_width = max_width;
  }
  const device::Caps& caps() const override { return caps_; }

 private:
  device::Caps caps_;
};

class OffloadBindings : public ::testing::TestWithParam<kernels::Binding> {};

// 23 rows in three launches of 8: the last one does a row again.
TEST_P(OffloadBindings, AClassifierInPartsIsTheWhole) {
  GradientCase test{.config = TinyMha(), .binding = GetParam()};
  GradientRun<double> plain(test);
  test.offload = OffloadEverything();
  test.wrap = [&](std::unique_ptr<device::Device> device) {
    return std::make_unique<NarrowDevice>(std::move(device), TinyMha().seq + 8);
  };
  GradientRun<double> parts(test);
  EXPECT_NEAR(parts.Loss(), plain.Loss(), 1e-9);
  EXPECT_EQ(parts.network->session().times(kernels::KernelId::kClassifierFwd).runs, 3);
  const Gradients expected = plain.Backward();
  for (const auto& [name, gradient] : parts.Backward()) {
    EXPECT_LE(NormError(std::span(gradient), std::span(expected.at(name))), 1e-6) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, OffloadBindings, ::testing::ValuesIn(kBindings),
                         [](const auto& test) { return std::string(BindingName(test.param)); });

std::map<int64_t, float> Losses(const std::string& device, kernels::Binding binding,
                                const std::string& offload, std::vector<std::string>* kernels) {
  TrainerRun run(device);
  run.options.binding = binding;
  run.options.steps = 20;
  run.options.accum = 1;
  run.options.offload = offload;
  EventLog log;
  const auto trainer = run.Fresh();
  RunToEnd(*trainer, log);
  for (const auto& event : log.Of<telemetry::KernelsEvent>()) {
    for (const auto& load : event.kernels) kernels->push_back(load.name);
  }
  return log.Losses();
}

class OffloadTraining : public ::testing::TestWithParam<std::tuple<const char*, kernels::Binding>> {
};

// Twenty updates with one row for all words that do not occur, whose logit has a bias.
TEST_P(OffloadTraining, FollowsTheHostsTrajectory) {
  const auto [device, binding] = GetParam();
  std::vector<std::string> before, kernels;
  const auto expected = Losses(device, binding, "", &before);
  ASSERT_LT(expected.at(20), expected.at(1)) << "nothing is learned";
  for (const char* offload : {"rmsnorm", "classifier", "softmax", "rmsnorm-bwd", "all"}) {
    kernels.clear();
    for (const auto& [step, loss] : Losses(device, binding, offload, &kernels)) {
      EXPECT_NEAR(loss, expected.at(step), 1e-4) << offload << " step " << step;
    }
    EXPECT_NE(kernels, before) << offload << " has no kernel";
  }
  EXPECT_THAT(kernels, ::testing::IsSupersetOf(
                           {"finalRmsnorm", "classifierFwd", "softmaxVocab", "rmsnormBwd"}));
}

INSTANTIATE_TEST_SUITE_P(All, OffloadTraining,
                         ::testing::Combine(::testing::Values("reference", "cpu"),
                                            ::testing::ValuesIn(kBindings)),
                         [](const auto& test) {
                           return fmt::format("{}_{}", std::get<0>(test.param),
                                              BindingName(std::get<1>(test.param)));
                         });

TEST(OffloadTest, IsPartOfTheRun) {
  TrainerRun run;
  run.options.offload = "classifier";
  EventLog log;
  log.stop_after = 6;
  RunToEnd(*run.Fresh(), log, train::RunEnd::kInterrupted);
  run.options.offload = "";
  const auto other = run.Create();
  const Status loaded = other->Load(run.Latest());
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().message, ::testing::HasSubstr("offload"));
}

TEST(OffloadTest, UnknownNamesAreRefusedByFlag) {
  TrainerRun run;
  run.options.offload = "everything";
  const Status valid = train::Validate(run.options);
  ASSERT_FALSE(valid.ok());
  EXPECT_THAT(valid.error().message, ::testing::HasSubstr("--offload: everything: expected"));
}

}  // namespace
}  // namespace millwright::testing
