// Going on from a saved state: to the same bits, or refused by name.
#include <gmock/gmock.h>

#include <memory>

#include "tests/training/trainer_run.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using train::RunEnd;

class ResumeOn : public ::testing::TestWithParam<const char*> {};

// Precisions that keep narrow copies of weights: they are made anew from the saved weights.
class ResumeIn : public ::testing::TestWithParam<Precision> {};

// Runs `straight` to its end, and `stopped` with an interruption after the fifth micro-step: what
// is done again and after it must have the same bits. Returns the trainer of the straight run.
std::unique_ptr<train::Trainer> ExpectSameBits(TrainerRun& straight, TrainerRun& stopped) {
  EventLog log, first, second;
  auto whole = straight.Fresh();
  RunToEnd(*whole, log);
  first.stop_after = 5;
  RunToEnd(*stopped.Fresh(), first, RunEnd::kInterrupted);
  const auto resumed = stopped.Resumed();
  RunToEnd(*resumed, second);
  EXPECT_EQ(second.Losses().size(), 9u);
  for (const auto& [step, loss] : second.Losses()) EXPECT_EQ(loss, log.Losses().at(step)) << step;
  ExpectSameParameters(*whole, *resumed);
  return whole;
}

TEST_P(ResumeIn, ResumesBitByBit) {
  TrainerRun straight("cpu"), stopped("cpu");
  for (TrainerRun* run : {&straight, &stopped}) {
    model::ModelConfig& config = run->options.config;
    config.dim = 36, config.hidden_dim = 52, config.head_dim = 18, config.seq = 19;
    run->options.precision = PrecisionName(GetParam());
    run->device_options.precision = GetParam();
  }
  ExpectSameBits(straight, stopped);
}

INSTANTIATE_TEST_SUITE_P(Precisions, ResumeIn,
                         ::testing::Values(Precision::kFp32, Precision::kInt8, Precision::kBf16),
                         [](const auto& test) { return std::string(PrecisionName(test.param)); });

TEST_P(ResumeOn, ResumesBitByBit) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    for (const auto vocab : {data::VocabMode::kExact, data::VocabMode::kFull}) {
      TrainerRun straight(GetParam()), stopped(GetParam());
      straight.options.config = stopped.options.config = config;
      straight.options.vocab = stopped.options.vocab = vocab;
      straight.train = stopped.train =
          data::MakeTokenList(DrawWords({1, 2, 3, 5, 8, 13}, 200, 1), "train");
      EventLog log;
      const auto whole = straight.Fresh();
      RunToEnd(*whole, log);
      ASSERT_EQ(log.Losses().size(), 12u);

      EventLog first, second;
      first.stop_after = 5;
      RunToEnd(*stopped.Fresh(), first, RunEnd::kInterrupted);
      EXPECT_EQ(first.Losses().size(), 5u);
      // The update after micro-step 3 is the last that was done.
      EXPECT_EQ(stopped.Latest().step(), 3);
      const auto resumed = stopped.Resumed();
      EXPECT_EQ(resumed->micro_steps_done(), 3);
      RunToEnd(*resumed, second);
      std::map<int64_t, float> losses = first.Losses();
      for (const auto& [step, loss] : second.Losses()) losses[step] = loss;
      EXPECT_EQ(losses, log.Losses()) << ConfigName(config);
      EXPECT_EQ(second.Losses().begin()->first, 4);
      ExpectSameParameters(*whole, *resumed);
    }
  }
}

TEST_P(ResumeOn, ResumesBf16MomentsBitByBit) {
  TrainerRun straight(GetParam()), stopped(GetParam());
  straight.options.moments = stopped.options.moments = "bf16";
  const auto whole = ExpectSameBits(straight, stopped);
  for (const auto& p : whole->network().parameters().all()) {
    EXPECT_EQ(p.m.size() + p.v.size(), 0u) << p.spec.name;
    EXPECT_EQ(p.m_bf16.size(), p.value.size()) << p.spec.name;
  }
}

// A run that ended is extended; whether the extension is interrupted, or saves more often, is
// nothing that its numbers know of.
TEST_P(ResumeOn, ExtendsAFinishedRunBitByBit) {
  TrainerRun a(GetParam()), b(GetParam());
  a.options.steps = b.options.steps = 11;  // ends with a short update
  b.options.save_every = 3;
  EventLog log, first, second;
  RunToEnd(*a.Fresh(), log);
  a.options.steps = 24;
  const auto straight = a.Resumed();
  RunToEnd(*straight, log);

  RunToEnd(*b.Fresh(), first);
  b.options.steps = 24;
  first.stop_after = 17;
  RunToEnd(*b.Resumed(), first, RunEnd::kInterrupted);
  EXPECT_EQ(b.Latest().step(), 15);
  const auto resumed = b.Resumed();
  RunToEnd(*resumed, second);
  std::map<int64_t, float> losses = first.Losses();
  for (const auto& [step, loss] : second.Losses()) losses[step] = loss;
  EXPECT_EQ(losses, log.Losses());
  EXPECT_EQ(losses.size(), 24u);
  ExpectSameParameters(*straight, *resumed);
}

TEST_P(ResumeOn, ABatchResumesBitByBitWithAndWithoutRecomputation) {
  TrainerRun straight(GetParam()), stopped(GetParam());
  straight.options.batch = stopped.options.batch = 3;
  EventLog log, first, second;
  const auto whole = straight.Fresh();
  RunToEnd(*whole, log);
  first.stop_after = 5;
  RunToEnd(*stopped.Fresh(), first, RunEnd::kInterrupted);
  stopped.options.recompute = true;
  const auto resumed = stopped.Resumed();
  RunToEnd(*resumed, second);
  for (const auto& [step, loss] : second.Losses()) EXPECT_EQ(loss, log.Losses().at(step)) << step;
  ExpectSameParameters(*whole, *resumed);
  EXPECT_TRUE(second.Of<telemetry::StepEvent>().at(0).phases_ms.contains("recompute"));
}

// The scale grows after 200 good updates, however often the run was stopped before.
TEST_P(ResumeOn, ADynamicLossScaleGoesOnWhereItWas) {
  TrainerRun straight(GetParam()), stopped(GetParam());
  for (TrainerRun* run : {&straight, &stopped}) {
    run->options.dynamic_loss_scale = true;
    run->options.loss_scale = 64;
    run->options.accum = 1;
    run->options.steps = 205;
  }
  EventLog log, first, second;
  const auto whole = straight.Fresh();
  RunToEnd(*whole, log);
  first.stop_after = 150;
  RunToEnd(*stopped.Fresh(), first, RunEnd::kInterrupted);
  const auto resumed = stopped.Resumed();
  RunToEnd(*resumed, second);
  const auto updates = log.Of<telemetry::UpdateEvent>(),
             later = second.Of<telemetry::UpdateEvent>();
  EXPECT_EQ(updates.at(199).loss_scale, 64.0);
  EXPECT_EQ(updates.at(200).loss_scale, 128.0);
  ASSERT_EQ(later.size(), 55u);
  for (size_t i = 0; i < later.size(); ++i) {
    EXPECT_EQ(later[i].loss_scale, updates.at(150 + i).loss_scale) << i;
  }
  ExpectSameParameters(*whole, *resumed);
}

INSTANTIATE_TEST_SUITE_P(Devices, ResumeOn, ::testing::Values("reference", "cpu"));

// A state of a finished run, to be loaded by runs that differ in one thing.
class Refusal : public ::testing::Test {
 protected:
  void SetUp() override {
    EventLog log;
    RunToEnd(*run_.Fresh(), log);
  }

  void ExpectRefused(const std::string& what) {
    const auto trainer = run_.Create();
    const Status status = trainer->Load(run_.Latest());
    ASSERT_FALSE(status.ok()) << what;
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(status.error().message, HasSubstr(what));
    EXPECT_THAT(status.error().message, HasSubstr("state-12"));
  }

  TrainerRun run_;
};

TEST_F(Refusal, OfOtherData) {
  run_.train = data::MakeTokenList(DrawWords({1, 2, 3, 5, 8, 13, 21}, 201, 1), "train");
  ExpectRefused("data_hash");
}

TEST_F(Refusal, OfOtherSettings) {
  const train::TrainOptions saved = run_.options;
  run_.options.lr = 2e-2;
  ExpectRefused("lr");
  run_.options = saved;
  run_.options.seed = 43;
  ExpectRefused("seed");
  run_.options = saved;
  run_.options.config.rope_theta = 5e5;
  ExpectRefused("config/rope_theta");
  run_.options = saved;
  run_.options.config.hidden_dim = 24;
  ExpectRefused("config/hidden_dim");
  run_.options = saved;
  run_.options.vocab = data::VocabMode::kFull;
  ExpectRefused("vocab");
  run_.options = saved;
  run_.options.moments = "bf16";
  ExpectRefused("moments");
  run_.options = saved;
  run_.options.precision = "int8";
  ExpectRefused("precision");
}

TEST_F(Refusal, OfAnotherGemmTable) {
  nlohmann::json meta = run_.Latest().meta();
  meta["gemm_table"] = "abacus 1.0";
  ASSERT_TRUE(checkpoint::WriteState(run_.folder.File("run"), 12, meta, {}, {}, {}).ok());
  ExpectRefused("gemm_table");
}

TEST_F(Refusal, OfOtherGemmChoices) {
  auto table = std::make_shared<math::GemmTable>();
  table->Set({.m = 16, .n = 6, .k = 16}, math::GemmKind::kHighway);
  run_.gemm_table = table;
  ExpectRefused("gemm_choices");
  run_.gemm_table = nullptr;
  nlohmann::json meta = run_.Latest().meta();
  meta["gemm_choices"] = {{{"m", 16}, {"n", "six"}}};
  ASSERT_TRUE(checkpoint::WriteState(run_.folder.File("run"), 12, meta, {}, {}, {}).ok());
  ExpectRefused("gemm_choices: entry 0: n: expected a whole number above 0, found \"six\"");
}

TEST_F(Refusal, OfAStateWithoutItsTensors) {
  const nlohmann::json meta = run_.Latest().meta();
  ASSERT_TRUE(checkpoint::WriteState(run_.folder.File("run"), 12, meta, {}, {}, {}).ok());
  ExpectRefused("model.embed_tokens.weight");
}

}  // namespace
}  // namespace millwright::testing
