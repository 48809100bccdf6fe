// The arithmetic of the benchmarks: what they count, whatever they measure.
#include <gtest/gtest.h>

#include <set>

#include "app/bench_gemm.h"
#include "app/bench_step.h"
#include "app/open_device.h"

namespace millwright::app {
namespace {

model::ModelConfig Stories110M() {
  return {.name = "stories110m",
          .title = "Stories110M",
          .dim = 768,
          .hidden_dim = 2048,
          .layers = 12,
          .heads = 12,
          .kv_heads = 12,
          .head_dim = 64,
          .seq = 256,
          .vocab = 32000};
}

model::ModelConfig Tiny() {
  return {.name = "tiny",
          .title = "Tiny",
          .dim = 16,
          .hidden_dim = 20,
          .layers = 2,
          .heads = 4,
          .kv_heads = 2,
          .head_dim = 4,
          .seq = 6,
          .vocab = 23};
}

TEST(Samples, MedianAndMinimum) {
  Samples samples;
  EXPECT_EQ(samples.median(), 0.0);
  for (double ms : {5.0, 1.0, 4.0}) samples.Add(ms);
  EXPECT_EQ(samples.median(), 4.0);
  samples.Add(2.0);
  EXPECT_EQ(samples.median(), 3.0);
  EXPECT_EQ(samples.minimum(), 1.0);
}

TEST(Repeat, WarmsUpAndRunsThreeTimesAtLeast) {
  int runs = 0;
  EXPECT_EQ(Repeat(1e-9, [&] { ++runs; }).count(), 3u);
  EXPECT_EQ(runs, 4);
}

TEST(LoadWarning, SpeaksOnlyWhereTheMachineIsBusy) {
  EXPECT_EQ(LoadWarning(1.0), "");
  EXPECT_NE(LoadWarning(0.6).find("40 %"), std::string::npos);
}

TEST(PeakMeter, KeepsTheBestAndAShareOfTheCores) {
  PeakMeter meter;
  EXPECT_EQ(meter.cpu_share(), 1.0);
  meter.Measure();
  const double first = meter.gflops();
  meter.Measure();
  EXPECT_EQ(meter.count(), 2);
  EXPECT_GT(first, 0.0);
  EXPECT_GE(meter.gflops(), first);
  EXPECT_GT(meter.cpu_share(), 0.0);
  EXPECT_LE(meter.cpu_share(), 1.0);
}

TEST(StepWork, CountsTheMatricesOfStories110M) {
  const StepWork work = WorkOfStep(Stories110M(), 6839);
  // 12 layers of 4 * 768 * 768 + 3 * 768 * 2048 weights; twice forward, four times backward.
  EXPECT_EQ(work.matrices, 6.0 * 256 * 12 * (4 * 768 * 768 + 3 * 768 * 2048));
  EXPECT_EQ(work.attention, 0.5 * 12 * 256 * 256 * 768 * 12);
  EXPECT_EQ(work.classifier, 6.0 * 6839 * 768 * 256);
}

// The products are the work: 2 m n k over all weights is what WorkOfStep counts.
TEST(GemmsOfStep, AreTheWorkOfAStep) {
  const model::ModelConfig config = Tiny();
  const StepWork work = WorkOfStep(config, 9);
  double flops = 0;
  std::set<std::string> names;
  for (const GemmUse& use : GemmsOfStep(config, 9)) {
    const auto& s = use.shape;
    EXPECT_TRUE(names.insert(use.name).second) << use.name;
    const auto weights = static_cast<double>(std::count(use.name.begin(), use.name.end(), ' '));
    const bool classifier = use.name.find("classifier") != std::string::npos;
    flops += 2.0 * static_cast<double>(s.m * s.n * s.k) * weights *
             static_cast<double>(classifier ? 1 : config.layers);
  }
  EXPECT_EQ(flops, work.matrices + work.classifier);
}

TEST(BenchStep, MeasuresATinyNetwork) {
  auto device = OpenDevice("cpu", {});
  ASSERT_TRUE(device.ok()) << device.error().message;
  int reports = 0;
  auto bench = BenchStep(**device, Tiny(), 9, 0.01, [&](const std::string&) { ++reports; });
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  EXPECT_EQ(bench->rows, 9);
  EXPECT_EQ(bench->parameters, Tiny().params() - (23 - 9) * 16);
  EXPECT_GE(bench->step.count(), 3u);
  EXPECT_EQ(bench->optimizer.count(), bench->step.count());
  EXPECT_EQ(static_cast<size_t>(bench->peak_measurements), bench->step.count() + 1);
  EXPECT_EQ(static_cast<size_t>(reports), bench->step.count());
  double phases = 0;
  for (const auto& [name, samples] : bench->phases) phases += samples.minimum();
  EXPECT_GT(phases, 0.0);
  EXPECT_LE(phases, bench->step.minimum() * (1 + 1e-12));
  EXPECT_GT(bench->peak_gflops, 0.0);
  EXPECT_DOUBLE_EQ(bench->floor_ms() * bench->peak_gflops * 1e6, bench->work.total());
}

TEST(BenchStep, MoreRowsThanWordsAreTheVocabulary) {
  auto device = OpenDevice("cpu", {});
  ASSERT_TRUE(device.ok());
  auto bench = BenchStep(**device, Tiny(), 1000, 0.01, {});
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  EXPECT_EQ(bench->rows, 23);
  EXPECT_EQ(bench->parameters, Tiny().params());
}

}  // namespace
}  // namespace millwright::app
