// The training loop: skipping, accumulating, validating.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/tolerance.h"
#include "data/windows.h"
#include "tests/training/trainer_run.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using train::RunEnd;

class TrainerOn : public ::testing::TestWithParam<const char*> {};

// The curve with moments in bf16 is that in fp32: smoothed losses never differ by more than 1%, nor
// the last ones by more than 0.5%, while the loss itself falls by a fifth.
TEST_P(TrainerOn, Bf16MomentsGiveTheSameLossCurve) {
  const auto curve = [&](const char* moments) {
    TrainerRun run(GetParam());
    run.options.steps = 300;
    run.options.accum = 1;
    run.options.moments = moments;
    EventLog log;
    RunToEnd(*run.Fresh(), log);
    std::vector<double> means(15, 0.0);  // of twenty steps each
    for (const auto& [step, loss] : log.Losses())
      means[static_cast<size_t>(step - 1) / 20] += loss / 20;
    return means;
  };
  const std::vector<double> full = curve("fp32"), half = curve("bf16");
  EXPECT_NE(full, half);
  EXPECT_LT(full.back(), full.front() * 0.8);
  for (size_t i = 0; i < full.size(); ++i) {
    EXPECT_LE(RelativeError(half[i], full[i]), 0.01) << "steps from " << 20 * i;
  }
  EXPECT_LE(RelativeError(half.back(), full.back()), 0.005);
}

// The loop by hand: windows of the sampler, two a micro-step, updates after every third micro-step
// and after the last, each divided by the number of micro-steps that it is made of.
TEST_P(TrainerOn, DividesAShortLastBatchByItsOwnCount) {
  TrainerRun run(GetParam());
  run.options.steps = 5;
  run.options.batch = 2;
  run.options.beta1 = 0.8;
  run.options.beta2 = 0.99;
  EventLog log;
  const auto trained = run.Fresh();
  RunToEnd(*trained, log);

  run.run_name = "by hand";
  const auto trainer = run.Fresh();
  train::Network<float>& network = trainer->network();
  const auto seq = static_cast<size_t>(run.options.config.seq);
  const data::Sampler sampler(run.options.seed, run.train->size(), run.options.config.seq);
  std::vector<int32_t> window(seq + 1), mapped(seq + 1), rows(2 * seq), targets(2 * seq);
  int64_t pending = 0, updates = 0;
  for (int64_t step = 0; step < run.options.steps; ++step) {
    for (int64_t b = 0; b < 2; ++b) {
      run.train->Copy(sampler.Offset(static_cast<uint64_t>(2 * step + b)), window);
      ASSERT_TRUE(network.vocab().MapTokens(window, mapped).ok());
      const auto first = b * run.options.config.seq;
      std::copy(mapped.begin(), mapped.end() - 1, rows.begin() + first);
      std::copy(mapped.begin() + 1, mapped.end(), targets.begin() + first);
    }
    const double loss = *network.LossAndGradient(rows, targets, 1.0);
    EXPECT_EQ(static_cast<float>(loss), log.Losses().at(step + 1));
    ++pending;
    if (step != 2 && step != 4) continue;
    ASSERT_EQ(pending, step == 2 ? 3 : 2);
    const double scale = 1.0 / static_cast<double>(pending);
    const auto norms = train::MeasureGradients(network.parameters(), network.vocab(), scale);
    EXPECT_EQ(norms.total,
              log.Of<telemetry::UpdateEvent>().at(static_cast<size_t>(updates)).grad_norm);
    train::Update(network.parameters(), norms,
                  {.lr = train::LearningRate(step, run.options.lr, run.options.warmup, 5),
                   .clip = run.options.clip,
                   .weight_decay = run.options.weight_decay,
                   .beta1 = run.options.beta1,
                   .beta2 = run.options.beta2,
                   .gradient_scale = scale,
                   .adam_step = ++updates});
    ASSERT_TRUE(network.StageWeights().ok());
    pending = 0;
  }
  ExpectSameParameters(*trained, *trainer);
}

// Twice the sequences a micro-step and half the micro-steps are the same windows, updates and
// rates: only the order of sums differs.
TEST_P(TrainerOn, ABatchOfTwoIsTwoMicroSteps) {
  TrainerRun wide(GetParam()), narrow(GetParam());
  for (TrainerRun* run : {&wide, &narrow}) {
    run->options.warmup = 0;
    run->options.lr = 3e-3;
    run->val = data::MakeTokenList(DrawWords({1, 2, 3, 5}, 40, 2), "val");
    run->options.val_windows = 5;  // not a multiple of the batch
  }
  wide.options.batch = 2;
  wide.options.steps = wide.options.accum = 4;
  narrow.options.steps = narrow.options.accum = 8;
  EventLog a, b;
  const auto left = wide.Fresh(), right = narrow.Fresh();
  RunToEnd(*left, a);
  RunToEnd(*right, b);
  const auto wide_losses = a.Losses(), narrow_losses = b.Losses();
  const double tolerance = Gamma(DType::kFp32, 1024);
  for (const auto& [step, loss] : wide_losses) {
    const double mean = (narrow_losses.at(2 * step - 1) + narrow_losses.at(2 * step)) / 2;
    EXPECT_LE(RelativeError(loss, mean), tolerance) << "step " << step;
  }
  EXPECT_LE(RelativeError(a.Of<telemetry::UpdateEvent>().at(0).grad_norm,
                          b.Of<telemetry::UpdateEvent>().at(0).grad_norm),
            tolerance);
  // Before any update: the rates of their schedules differ.
  EXPECT_LE(RelativeError(*wide.Fresh()->Evaluate(*wide.val, 5),
                          *narrow.Fresh()->Evaluate(*narrow.val, 5)),
            tolerance);
  EXPECT_GT(a.Of<telemetry::StepEvent>().at(0).tokens_per_s, 0);
}

// A power of two scales every gradient exactly, and is divided out exactly.
TEST_P(TrainerOn, LossScaleChangesNoBit) {
  TrainerRun plain(GetParam()), scaled(GetParam());
  scaled.options.loss_scale = 1024;
  EventLog log, scaled_log;
  const auto a = plain.Fresh(), b = scaled.Fresh();
  RunToEnd(*a, log);
  RunToEnd(*b, scaled_log);
  EXPECT_EQ(log.Losses(), scaled_log.Losses());
  ExpectSameParameters(*a, *b);
  for (const auto& update : scaled_log.Of<telemetry::UpdateEvent>()) {
    EXPECT_EQ(update.loss_scale, 1024);
    EXPECT_FALSE(update.skipped);
  }
}

// What must hold after the first update of `trainer` was skipped.
void ExpectSkipped(TrainerRun& run, train::Trainer& trainer, EventLog& log, double loss_scale) {
  run.run_name = "untouched";
  ExpectSameParameters(trainer, *run.Fresh());
  EXPECT_FALSE(trainer.network().parameters().has_gradients());
  const auto updates = log.Of<telemetry::UpdateEvent>();
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_TRUE(updates[0].skipped);
  EXPECT_EQ(updates[0].loss_scale, loss_scale);
  const auto warnings = log.Of<telemetry::WarningEvent>();
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].step, 3);
  EXPECT_THAT(warnings[0].message, HasSubstr("non-finite"));
}

TEST_P(TrainerOn, SkipsAnUpdateWithNonFiniteGradientsAndHalvesTheLossScale) {
  for (const float poison : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    TrainerRun run(GetParam());
    run.options.loss_scale = 8;
    run.options.steps = 6;
    EventLog log, rest;
    log.stop_after = 3;
    auto trainer = run.Fresh();
    log.on_step = [&] {
      trainer->network().parameters().Get(model::TensorRole::kWk, 1).grad[7] = poison;
    };
    RunToEnd(*trainer, log, RunEnd::kInterrupted);
    const nlohmann::json meta = run.Latest().meta();
    EXPECT_EQ(meta["updates"], 1);
    EXPECT_EQ(meta["adam_steps"], 0);
    EXPECT_EQ(meta["loss_scale"], 4);
    // The next update is Adam's first, at the schedule's second place, also after a resume.
    const auto resumed = run.Resumed();
    RunToEnd(*resumed, rest);
    const auto updates = rest.Of<telemetry::UpdateEvent>();
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_FALSE(updates[0].skipped);
    EXPECT_EQ(updates[0].loss_scale, 4);
    EXPECT_EQ(updates[0].lr, train::LearningRate(5, 1e-2, 2, 6));
    EXPECT_EQ(run.Latest().meta()["adam_steps"], 1);
    ExpectSkipped(run, *trainer, log, 8);
  }
}

TEST_P(TrainerOn, SkipsAnUpdateThatTheLossScaleOverflows) {
  TrainerRun run(GetParam());
  run.options.loss_scale = 0x1p140;  // infinite as a float
  run.options.steps = 3;
  EventLog log;
  const auto trainer = run.Fresh();
  RunToEnd(*trainer, log);
  EXPECT_EQ(run.Latest().meta()["loss_scale"], 0x1p139);
  ExpectSkipped(run, *trainer, log, 0x1p140);
}

TEST_P(TrainerOn, ClipsByTheGlobalNorm) {
  const auto moment_norm = [](train::Trainer& trainer) {
    double sum = 0;
    for (const auto& p : trainer.network().parameters().all()) {
      sum += std::pow(Norm2(std::span<const float>(p.m.span())), 2);
    }
    return std::sqrt(sum);
  };
  for (const double clip : {0.0, 0.01, 1e6}) {
    TrainerRun run(GetParam());
    run.options.vocab = data::VocabMode::kFull;
    run.options.steps = 3;
    run.options.clip = clip;
    EventLog log;
    const auto trainer = run.Fresh();
    RunToEnd(*trainer, log);
    const double norm = log.Of<telemetry::UpdateEvent>().at(0).grad_norm;
    ASSERT_GT(norm, 0.01);
    // The first moment after one update is 1 - beta1 of the clipped gradient.
    const double expected = (1 - run.options.beta1) * (clip == 0.01 ? clip : norm);
    EXPECT_LE(RelativeError(moment_norm(*trainer), expected), Gamma(DType::kFp32, 8)) << clip;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, TrainerOn, ::testing::Values("reference", "cpu"));

TEST(Trainer, ValidatesAndKeepsTheBestState) {
  TrainerRun run;
  run.options.steps = 24;
  run.options.val_every = run.options.save_every = 3;
  // Learning the one makes the other less likely.
  run.train = data::MakeTokenList(DrawWords({1, 2, 3}, 200, 1), "train");
  run.val = data::MakeTokenList(DrawWords({4, 5, 6}, 40, 2), "val");
  EventLog log;
  const auto trainer = run.Fresh();
  RunToEnd(*trainer, log);
  const auto validations = log.Of<telemetry::ValidationEvent>();
  ASSERT_EQ(validations.size(), 8u);
  size_t best = 0;
  for (size_t i = 0; i < validations.size(); ++i) {
    EXPECT_EQ(validations[i].step, static_cast<int64_t>(3 * i + 3));
    if (validations[i].val_loss < validations[best].val_loss) best = i;
  }
  ASSERT_LT(best, 6u) << "the test needs a best state that is not among the last two";
  EXPECT_EQ(checkpoint::ListStates(run.folder.File("run")),
            (std::vector<int64_t>{validations[best].step, 21, 24}));
  EXPECT_EQ(run.Latest().meta()["best_step"], validations[best].step);
  EXPECT_EQ(run.Latest().meta()["best_val"], validations[best].val_loss);

  // The loss is the mean over consecutive windows.
  double total = 0;
  std::vector<int32_t> window(7), rows(7);
  for (int64_t w = 0; w < 4; ++w) {
    run.val->Copy(data::WindowBegin(w, 6), window);
    ASSERT_TRUE(trainer->network().vocab().MapTokens(window, rows).ok());
    const std::span<const int32_t> all(rows);
    total += *trainer->network().Loss(all.first(6), all.subspan(1));
  }
  EXPECT_DOUBLE_EQ(validations.back().val_loss, total / 4);
  EXPECT_EQ(*trainer->Evaluate(*run.val, 4), validations.back().val_loss);
}

// More windows than there are: all of them, 6 of 40 tokens.
TEST(Trainer, EvaluatesNoMoreWindowsThanThereAre) {
  TrainerRun run;
  run.val = data::MakeTokenList(DrawWords({4, 5, 6}, 40, 2), "val");
  const auto trainer = run.Fresh();
  EXPECT_EQ(*trainer->Evaluate(*run.val, 100), *trainer->Evaluate(*run.val, 6));
  const auto few = data::MakeTokenList({4, 5, 6}, "three words");
  const auto refused = trainer->Evaluate(*few, 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("three words"));
}

TEST(Trainer, ValidationChangesNoBit) {
  TrainerRun with, without;
  with.val = without.val = data::MakeTokenList(DrawWords({1, 2, 3}, 40, 2), "val");
  with.options.val_every = 3;
  EventLog log, other;
  const auto a = with.Fresh(), b = without.Fresh();
  RunToEnd(*a, log);
  RunToEnd(*b, other);
  EXPECT_EQ(log.Of<telemetry::ValidationEvent>().size(), 4u);
  EXPECT_EQ(other.Of<telemetry::ValidationEvent>().size(), 1u);  // at the end
  ExpectSameParameters(*a, *b);
}

TEST(Trainer, TheNullDeviceRunsThePlan) {
  TrainerRun run("null");
  EventLog log;
  const auto trainer = run.Fresh();
  RunToEnd(*trainer, log);
  EXPECT_EQ(log.Of<telemetry::StepEvent>().size(), 12u);
  EXPECT_EQ(log.Of<telemetry::UpdateEvent>().size(), 4u);
  EXPECT_EQ(trainer->network().session().times(kernels::KernelId::kFfnFused).runs,
            12 * run.options.config.layers);
}

TEST(Trainer, ActClipBoundsActivations) {
  const auto highest = [](double act_clip) {
    TrainerRun run;
    run.options.act_clip = act_clip;
    run.options.steps = 3;
    EventLog log;
    const auto trainer = run.Create();
    FillForGradients(trainer->network().parameters(), 2);
    EXPECT_TRUE(trainer->network().StageWeights().ok());
    RunToEnd(*trainer, log);
    double high = 0;
    for (const char* layer : {"x.1", "x.2"}) {
      for (const float x : trainer->network().Buffer(layer)) {
        high = std::max(high, std::fabs(static_cast<double>(x)));
      }
    }
    return std::pair(high, log.Losses());
  };
  const auto [free, free_losses] = highest(0);
  const auto [bounded, bounded_losses] = highest(free / 2);
  const auto [roomy, roomy_losses] = highest(free * 2);
  EXPECT_LE(bounded, free / 2 * (1 + Gamma(DType::kFp32, 2)));
  EXPECT_NE(bounded_losses, free_losses);
  EXPECT_EQ(roomy_losses, free_losses);
}

}  // namespace
}  // namespace millwright::testing
