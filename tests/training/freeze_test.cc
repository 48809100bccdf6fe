// Frozen tensors: bit-identical for ever, without memory of their own, and without influence on
// how the others learn.
#include "train/freeze.h"

#include <gmock/gmock.h>

#include "tests/training/gradient_check.h"
#include "tests/training/trainer_run.h"
#include "train/footprint.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using train::CheckFreeze;
using train::IsFrozen;

TEST(Freeze, PatternsAreThoseOfFileNames) {
  const auto frozen = [](const std::string& pattern) {
    std::vector<std::string> names;
    for (const auto& spec : model::TensorTable(TinyMha())) {
      if (IsFrozen(std::vector{pattern}, spec)) names.push_back(spec.name);
    }
    return names;
  };
  EXPECT_EQ(frozen("model.embed_tokens*"), (std::vector<std::string>{"model.embed_tokens.weight"}));
  EXPECT_EQ(frozen("*.1.self_attn.?_proj.weight").size(), 4u);
  EXPECT_EQ(frozen("model.layers.[01].mlp.*").size(), 6u);
  EXPECT_EQ(frozen("*").size(), model::TensorTable(TinyMha()).size());
  EXPECT_EQ(frozen("embed*"), (std::vector<std::string>{"model.embed_tokens.weight"}));
  EXPECT_TRUE(frozen("embed_tokens").empty());
  EXPECT_TRUE(frozen("odel.embed*").empty());
}

TEST(Freeze, RefusesPatternsThatMatchNothingOrEverything) {
  EXPECT_TRUE(CheckFreeze({}, TinyMha()).ok());
  EXPECT_TRUE(CheckFreeze(std::vector<std::string>{"model.l*", "model.e*"}, TinyMha()).ok());
  const auto message = [](std::vector<std::string> patterns) {
    const Status status = CheckFreeze(patterns, TinyMha());
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
    return status.error().message;
  };
  EXPECT_THAT(message({"*.mlp.*", "model.layer.*"}), HasSubstr("'model.layer.*'"));
  EXPECT_THAT(message({"model.l*", "model.[en]*"}), HasSubstr("nothing is left"));
}

const std::vector<std::vector<std::string>>& Selections() {
  static const std::vector<std::vector<std::string>> selections = {
      {"model.embed_tokens*"},
      {"*norm*"},
      {"model.embed_tokens*", "model.layers.0.*"},
      {"model.layers.*", "model.embed_tokens*"},  // the final norm alone
      {"*_proj*"},
      {"*.1.self_attn.k_proj*", "*up_proj*"},
  };
  return selections;
}

// What is trained gets the very gradient that it has when everything is trained.
TEST(Freeze, LeavesOtherGradientsAlone) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    for (const char* name : {"reference", "cpu"}) {
      GradientRun<float> all({.config = config, .device = name, .precision = Precision::kFp32});
      const Gradients whole = all.Backward();
      for (const auto& freeze : Selections()) {
        GradientRun<float> some(
            {.config = config, .device = name, .precision = Precision::kFp32, .freeze = freeze});
        EXPECT_EQ(some.Loss(), all.Loss());
        const Gradients part = some.Backward();
        EXPECT_LT(part.size(), whole.size());
        for (const auto& [tensor, gradient] : part) EXPECT_EQ(gradient, whole.at(tensor)) << tensor;
        for (const auto& p : some.network->parameters().all()) {
          EXPECT_EQ(p.trained, part.contains(p.spec.name));
          EXPECT_EQ(p.trained, !IsFrozen(freeze, p.spec));
          if (!p.trained) {
            EXPECT_EQ(p.grad.size() + p.m.size() + p.v.size(), 0u) << p.spec.name;
          }
        }
      }
    }
  }
}

// No product is computed for a frozen matrix, and no layer below the lowest trained one.
TEST(Freeze, SkipsWork) {
  const auto count = [](const std::vector<std::string>& freeze, train::StepKind kind) {
    GradientRun<float> run({.config = TinyMha(), .precision = Precision::kFp32, .freeze = freeze});
    const auto& steps = run.network->plan().backward;
    return std::count_if(steps.begin(), steps.end(),
                         [&](const train::PlanStep& step) { return step.kind == kind; });
  };
  const auto kDw = train::StepKind::kWeightGradient;
  EXPECT_EQ(count({}, kDw), 14);
  EXPECT_EQ(count({"*.mlp.*"}, kDw), 8);
  EXPECT_EQ(count({"*_proj*"}, kDw), 0);
  const auto kKernel = train::StepKind::kKernel;
  EXPECT_EQ(count({"model.embed_tokens*", "model.layers.0.*"}, kKernel) * 2, count({}, kKernel));
}

class FreezeOn : public ::testing::TestWithParam<const char*> {};

TEST_P(FreezeOn, FrozenTensorsKeepTheirBits) {
  for (const auto& freeze : Selections()) {
    TrainerRun run(GetParam());
    run.options.vocab = data::VocabMode::kFull;
    run.options.freeze = freeze;
    EventLog log;
    const auto before = run.Fresh(), after = run.Fresh();
    RunToEnd(*after, log);
    ASSERT_EQ(log.Of<telemetry::UpdateEvent>().size(), 4u);
    const auto& old = before->network().parameters().all();
    const auto& now = after->network().parameters().all();
    for (size_t i = 0; i < old.size(); ++i) {
      EXPECT_EQ(SameBits(old[i].value, now[i].value), IsFrozen(freeze, old[i].spec))
          << old[i].spec.name;
    }
  }
}

// Without clipping, the first update of a tensor does not know what else is trained.
TEST_P(FreezeOn, OthersLearnAsIfAllWere) {
  TrainerRun all(GetParam()), some(GetParam());
  for (TrainerRun* run : {&all, &some}) {
    run->options.vocab = data::VocabMode::kFull;
    run->options.clip = 0;
    run->options.steps = 3;
  }
  some.options.freeze = {"model.embed_tokens*", "*.0.*"};
  EventLog first, second;
  const auto a = all.Fresh(), b = some.Fresh();
  RunToEnd(*a, first);
  RunToEnd(*b, second);
  for (const auto& p : b->network().parameters().all()) {
    const auto& other = a->network().parameters().Get(p.spec.role, p.spec.layer);
    EXPECT_EQ(SameBits(p.value, other.value), p.trained) << p.spec.name;
  }
  EXPECT_LT(second.Of<telemetry::UpdateEvent>()[0].grad_norm,
            first.Of<telemetry::UpdateEvent>()[0].grad_norm);
}

TEST_P(FreezeOn, ResumesBitByBit) {
  TrainerRun straight(GetParam()), stopped(GetParam());
  straight.options.freeze = stopped.options.freeze = {"model.embed_tokens*", "*q_proj*"};
  EventLog log, first, second;
  const auto whole = straight.Fresh();
  RunToEnd(*whole, log);
  first.stop_after = 5;
  RunToEnd(*stopped.Fresh(), first, train::RunEnd::kInterrupted);
  EXPECT_EQ(stopped.Latest().optimizer().Find("model.embed_tokens.weight.m"), nullptr);
  EXPECT_NE(stopped.Latest().weights().Find("model.embed_tokens.weight"), nullptr);
  const auto resumed = stopped.Resumed();
  RunToEnd(*resumed, second);
  ExpectSameParameters(*whole, *resumed);
  stopped.options.freeze = {"model.embed_tokens*"};
  const auto other = stopped.Create();
  const Status refused = other->Load(stopped.Latest());
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("freeze"));
}

INSTANTIATE_TEST_SUITE_P(Devices, FreezeOn, ::testing::Values("reference", "cpu"));

TEST(Freeze, CostsFourBytesAParameter) {
  TrainerRun run("cpu");
  const auto device = *app::OpenDevice("cpu", {});
  const auto bytes = [&](std::vector<std::string> freeze) {
    run.options.freeze = std::move(freeze);
    return train::EstimateFootprint(run.options, *device, 23).parameter_bytes;
  };
  EXPECT_EQ(bytes({}) - bytes({"model.embed_tokens*"}), 23u * 16 * 12);
}

}  // namespace
}  // namespace millwright::testing
