// The arithmetic of the benchmarks: what they count, whatever they measure.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "app/bench_gemm.h"
#include "app/bench_kernels.h"
#include "app/bench_scaling.h"
#include "app/bench_sequence.h"
#include "app/bench_step.h"
#include "app/bench_tune.h"
#include "app/open_device.h"
#include "base/threads.h"
#include "device/cpu/cpu_device.h"
#include "kernels/kernel.h"
#include "runtime/session.h"

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

// What is measured (and tuned) is what a step multiplies: every product of a compiled kernel is in
// the list.
TEST(GemmsOfStep, AreTheProductsOfTheCompiledKernels) {
  const model::ModelConfig config = Tiny();
  std::set<std::string> listed;
  const auto key = [](int64_t m, int64_t n, int64_t k, bool a, bool b, bool accumulate) {
    return fmt::format("{} {} {} {}{} {}", m, n, k, a ? 'T' : 'N', b ? 'T' : 'N', accumulate);
  };
  for (const GemmUse& use : GemmsOfStep(config, 9)) {
    const auto& s = use.shape;
    listed.insert(key(s.m, s.n, s.k, s.transpose_a, s.transpose_b, s.accumulate));
  }
  auto device = OpenDevice("cpu", {});
  ASSERT_TRUE(device.ok());
  const auto spec = runtime::MakeSpec(**device, {.config = config});
  const std::regex product(R"(gemm \S+ m=(\d+) n=(\d+) k=(\d+) ([NT])([NT])( accumulate)?)");
  int products = 0;
  for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
    if (kernel->operands(spec).outputs.empty()) continue;
    const auto program = kernels::Generate(*kernel, spec);
    ASSERT_TRUE(program.ok()) << program.error().message;
    const auto text = device::ExplainProgram(program->program, program->constants, {});
    ASSERT_TRUE(text.ok()) << text.error().message;
    for (std::sregex_iterator it(text->begin(), text->end(), product), end; it != end; ++it) {
      const auto number = [&](int i) { return std::stoll((*it)[i].str()); };
      EXPECT_TRUE(listed.contains(
          key(number(1), number(2), number(3), (*it)[4] == "T", (*it)[5] == "T", (*it)[6].matched)))
          << kernel->name << ": " << it->str();
      ++products;
    }
  }
  EXPECT_EQ(products, 14);  // seven matrices, forward and backward
}

TEST(MeasureInTurns, GivesEachWorkItsShareOfTheRateBesideIt) {
  PeakMeter peak;
  int first = 0, second = 0;
  const auto rated =
      MeasureInTurns({{1.0, [&] { ++first; }}, {2.0, [&] { ++second; }}}, 1e-9, peak);
  ASSERT_EQ(rated.size(), 2u);
  for (const Rated& r : rated) {
    EXPECT_EQ(r.ms.count(), 3u);
    EXPECT_EQ(r.share.count(), 3u);
    EXPECT_GT(r.share.minimum(), 0.0);
  }
  EXPECT_EQ(peak.count(), 7);  // before, between and after six slices
  EXPECT_GT(first, 4);         // a slice is many runs of what takes no time
  EXPECT_GT(second, 4);
}

TEST(BenchGemm, MeasuresEveryProductColdAndWarm) {
  math::GemmEngine engine;
  const GemmBench bench = BenchGemm(engine, Tiny(), 9, 1e-9, {});
  EXPECT_EQ(bench.products.size(), GemmsOfStep(Tiny(), 9).size());
  for (const GemmMeasurement& p : bench.products) {
    EXPECT_EQ(p.implementation, engine.Describe(p.use.shape));
    EXPECT_GT(p.gflops(p.cold), 0.0);
    EXPECT_DOUBLE_EQ(p.gflops(p.warm) * p.warm.ms.median(), 1e3 * p.use.gflop());
  }
  EXPECT_EQ(ToJson(bench)["products"].size(), bench.products.size());
}

// Noise does not move a choice, a clear gain does.
TEST(TunedGemm, LeavesTheFixedRuleForAClearGainOnly) {
  const auto with_share = [](math::GemmKind kind, double share) {
    GemmCandidate candidate{.kind = kind};
    candidate.rated.share.Add(share);
    return candidate;
  };
  TunedGemm tuned{.fixed = 1};
  tuned.candidates = {with_share(math::GemmKind::kLibrarySgemm, 0.709),
                      with_share(math::GemmKind::kLibraryMatmul, 0.70),
                      with_share(math::GemmKind::kHighway, 0.69)};
  EXPECT_EQ(tuned.best(), 1u);
  tuned.candidates[0].rated.share.Add(0.75);  // median 0.7295
  EXPECT_EQ(tuned.best(), 0u);
  tuned.candidates[2] = with_share(math::GemmKind::kHighway, 0.74);
  EXPECT_EQ(tuned.best(), 2u);
}

// A product that one use overwrites with and another adds with (the two of a sum) is one choice.
TEST(TuneGemms, WritesAChoiceForEveryProduct) {
  const TuneBench bench = TuneGemms(Tiny(), 9, 1e-9, {});
  math::GemmEngine fixed;
  const math::GemmTable table = bench.table();
  EXPECT_EQ(table.choices().size(), bench.products.size());
  size_t uses = 0, sums = 0;
  for (const TunedGemm& p : bench.products) {
    EXPECT_EQ(p.candidates[p.fixed].implementation, fixed.Describe(p.shape())) << p.name();
    uses += p.uses.size();
    sums += p.uses.size() > 1;
    for (const GemmUse& use : p.uses) {
      EXPECT_EQ(table.Find(use.shape), p.candidates[p.best()].kind) << use.name;
    }
    std::set<std::string> implementations;
    for (const GemmCandidate& c : p.candidates) {
      EXPECT_TRUE(implementations.insert(c.implementation).second) << c.implementation;
      EXPECT_GT(c.rated.share.minimum(), 0.0);
    }
  }
  EXPECT_EQ(uses, GemmsOfStep(Tiny(), 9).size());
  EXPECT_EQ(sums, 2u);  // backward of k and v, and of W1 and W3
}

// As of a real network, all weights together do not fit the pool: a kernel reads what another has
// read in another shape.
TEST(BenchKernels, ComparesEachKernelWithItsRoof) {
  auto device = OpenDevice("cpu", {});
  ASSERT_TRUE(device.ok());
  constexpr size_t kPool = 8 << 10;
  auto bench = BenchKernels(**device, Tiny(), 1e-9, {}, kPool);
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  EXPECT_EQ(bench->kernels.size(), 9u);  // attention's backward is one program
  EXPECT_GE(bench->programs, 9);
  EXPECT_GT(bench->compile.minimum(), 0.0);
  for (const KernelMeasurement& k : bench->kernels) {
    EXPECT_GE(bench->roofline_ms(k), bench->compute_ms(k)) << k.name;
    EXPECT_GE(bench->roofline_ms(k), bench->memory_ms(k)) << k.name;
    EXPECT_GT(k.rated.ms.minimum(), 0.0) << k.name;
  }
  bench->peak_gflops = 100, bench->read_gb_per_s = 10;
  EXPECT_EQ(bench->roofline_ms({.gflop = 2, .megabytes = 100}), 20.0);
  EXPECT_EQ(bench->roofline_ms({.gflop = 2, .megabytes = 300}), 30.0);
}

TEST(BenchScaling, ComparesOneThreadWithAll) {
  auto device = OpenDevice("cpu", {});
  ASSERT_TRUE(device.ok());
  const int threads = SetThreads(2);
  auto bench = BenchScaling(**device, Tiny(), 9, 1e-9, {});
  EXPECT_EQ(GetThreads(), threads);
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  EXPECT_EQ(bench->one.threads, 1);
  EXPECT_EQ(bench->all.threads, 2);
  EXPECT_EQ(bench->one.step.count(), 3u);
  EXPECT_EQ(bench->all.step.count(), 3u);
  EXPECT_GT(bench->efficiency(), 0.0);
  SetThreads(1);
  EXPECT_FALSE(BenchScaling(**device, Tiny(), 9, 1e-9, {}).ok());
  SetThreads(0);
}

TEST(BenchSequence, GrowsWithAttentionsWork) {
  auto device = OpenDevice("cpu", {});
  ASSERT_TRUE(device.ok());
  const int64_t lengths[] = {4, 8};
  auto bench = BenchSequence(**device, Tiny(), 9, lengths, 1e-9, {});
  ASSERT_TRUE(bench.ok()) << bench.error().message;
  ASSERT_EQ(bench->steps.size(), 2u);
  EXPECT_EQ(bench->steps[1].tokens, 8);
  EXPECT_EQ(bench->time_growth(0), 1.0);
  EXPECT_EQ(bench->excess(0), 1.0);
  const StepWork four = bench->steps[0].work, eight = bench->steps[1].work;
  EXPECT_EQ(eight.attention, 4 * four.attention);
  EXPECT_DOUBLE_EQ(bench->work_growth(1), eight.total() / four.total() / 2);
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
  EXPECT_EQ(bench->next.count(), bench->step.count());
  EXPECT_GT(bench->next.minimum(), 0.0);
  EXPECT_EQ(bench->optimizer.count(), bench->step.count());
  EXPECT_EQ(bench->whole.count(), bench->step.count());
  EXPECT_GE(bench->whole.minimum(), bench->step.minimum() + bench->optimizer.minimum());
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
