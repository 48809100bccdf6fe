#include "app/bench_step.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/threads.h"
#include "math/update_loop.h"

namespace millwright::app {
namespace {

using train::Phase;

constexpr int64_t kAccum = 10;  // micro-steps an update, as training has by default

// The phases of the last micro-step under the names that are printed.
std::vector<std::pair<std::string, double>> NamedPhases(const train::StepTimes& t, double total) {
  std::vector<std::pair<std::string, double>> phases = {
      {"forward kernels", t[Phase::kForward]},
      {"backward kernels", t[Phase::kBackward]},
      {"weight gradients", t[Phase::kWeightGradient]},
      {"norms", t[Phase::kNorm] + t[Phase::kNormBackward]},
      {"elementwise", t[Phase::kElementwise]},
      {"classifier", t.classifier_ms},
      {"embedding", t.embedding_ms}};
  double rest = total;
  for (const auto& [name, ms] : phases) rest -= ms;
  phases.emplace_back("rest", std::max(0.0, rest));
  return phases;
}

void Book(const train::StepTimes& times, double step_ms, double update_ms, StepBench* bench) {
  bench->step.Add(step_ms);
  bench->optimizer.Add(update_ms);
  bench->whole.Add(step_ms + update_ms);
  const auto phases = NamedPhases(times, step_ms);
  bench->phases.resize(phases.size());
  for (size_t i = 0; i < phases.size(); ++i) {
    bench->phases[i].first = phases[i].first;
    bench->phases[i].second.Add(phases[i].second);
  }
}

// Two micro-steps and an update; booked unless `warm_up`.
Status RunOnce(BenchNetwork& network, math::UpdateLoop& bare, bool warm_up, StepBench* bench) {
  const auto step_ms = network.Step();
  if (!step_ms) return step_ms.error();
  const train::StepTimes times = network.times();
  const auto next_ms = network.Step();
  if (!next_ms) return next_ms.error();
  const double bare_before = bare.Run();
  const auto update = network.Update();
  if (!update) return update.error();
  const double bare_ms = (bare_before + bare.Run()) / 2;
  if (warm_up) return {};
  Book(times, *step_ms, update->total(), bench);
  bench->next.Add(*next_ms);
  bench->adamw.Add(update->adamw);
  bench->adamw_ratio.Add(update->adamw / static_cast<double>(bench->parameters) /
                         (bare_ms / static_cast<double>(bare.count())));
  return {};
}

Status Measure(BenchNetwork& network, double seconds, const Progress& progress, StepBench* bench) {
  constexpr size_t kLeast = 3;
  math::UpdateLoop bare;
  if (auto status = RunOnce(network, bare, true, bench); !status) return status;
  PeakMeter peak;
  const Stopwatch total;
  peak.Measure();
  while (bench->step.count() < kLeast || total.ms() < seconds * 1e3) {
    const double before = peak.latest();
    if (auto status = RunOnce(network, bare, false, bench); !status) return status;
    peak.Measure();
    const double gflops = bench->work.total() * 1e-6 / bench->step.latest();
    bench->share.Add(2 * gflops / (before + peak.latest()));
    if (progress) {
      progress(fmt::format("step {} rows, repetition {}: {:.1f} ms, peak {:.1f} GFLOP/s",
                           bench->rows, bench->step.count(), bench->step.minimum(), peak.gflops()));
    }
  }
  bench->peak_gflops = peak.gflops();
  bench->peak_measurements = peak.count();
  bench->cpu_share = peak.cpu_share();
  return {};
}

double MsPer100M(const StepBench& b) {
  return b.optimizer.median() * 1e8 / static_cast<double>(b.parameters);
}

double TokensPerSecond(const StepBench& b) {
  return static_cast<double>(b.tokens) * 1e3 / b.next.median();
}

double TokensPerSecondWithUpdates(const StepBench& b) {
  const double ms = b.step.median() + (kAccum - 1) * b.next.median() + b.optimizer.median();
  return static_cast<double>(kAccum * b.tokens) * 1e3 / ms;
}

}  // namespace

Result<StepBench> BenchStep(device::Device& device, const model::ModelConfig& config, int64_t rows,
                            double seconds, const Progress& progress,
                            std::shared_ptr<const math::GemmTable> gemm_table) {
  auto network = BenchNetwork::Create(device, config, rows, std::move(gemm_table));
  if (!network) return network.error().In("bench step");
  StepBench bench{.model = std::string(config.title),
                  .tokens = config.seq,
                  .rows = (*network)->rows(),
                  .parameters = (*network)->parameters(),
                  .threads = GetThreads(),
                  .work = WorkOfStep(config, (*network)->rows())};
  if (auto status = Measure(**network, seconds, progress, &bench); !status) return status.error();
  return bench;
}

std::string ToText(const StepBench& b) {
  const double floor = b.floor_ms(), median = b.step.median(), least = b.step.minimum();
  std::string text =
      fmt::format("step of {}: {} tokens, {} embedding rows, {:.1f}M parameters, {} threads\n",
                  b.model, b.tokens, b.rows, static_cast<double>(b.parameters) / 1e6, b.threads);
  const auto line = [&](std::string_view label, const std::string& value) {
    text += fmt::format("  {:<20}{}\n", label, value);
  };
  line("peak", fmt::format("{:.1f} GFLOP/s, the best of {} measurements in between", b.peak_gflops,
                           b.peak_measurements));
  line("work", fmt::format("{:.2f} GFLOP: matrices {:.2f}, attention {:.2f}, classifier {:.2f}",
                           b.work.total() * 1e-9, b.work.matrices * 1e-9, b.work.attention * 1e-9,
                           b.work.classifier * 1e-9));
  line("floor", fmt::format("{:.1f} ms (work / peak)", floor));
  line("forward + backward",
       fmt::format("{:.1f} ms [minimum {:.1f}] of {} micro-steps", median, least, b.step.count()));
  line("floor / time",
       fmt::format("{:.1f} % [{:.1f} %]; {:.1f} % of the FMA rate beside each micro-step",
                   100 * floor / median, 100 * floor / least, 100 * b.share.median()));
  for (const auto& [name, samples] : b.phases) {
    line("  " + name,
         fmt::format("{:>9.2f} ms {:>5.1f} %", samples.median(), 100 * samples.median() / median));
  }
  line("the next ones", fmt::format("{:.1f} ms [minimum {:.1f}], before the same update",
                                    b.next.median(), b.next.minimum()));
  line("optimizer", fmt::format("{:.1f} ms [minimum {:.1f}], {:.1f} ms per 100M parameters",
                                b.optimizer.median(), b.optimizer.minimum(), MsPer100M(b)));
  line("  AdamW", fmt::format("{:.1f} ms, {:.2f} times a bare loop with its reads and writes",
                              b.adamw.median(), b.adamw_ratio.median()));
  line("tokens/s", fmt::format("{:.1f}, with an update every {} micro-steps {:.1f}",
                               TokensPerSecond(b), kAccum, TokensPerSecondWithUpdates(b)));
  return text + LoadWarning(b.cpu_share);
}

nlohmann::json ToJson(const StepBench& b) {
  nlohmann::json phases;
  for (const auto& [name, samples] : b.phases) phases[name] = samples.median();
  return {{"model", b.model},
          {"tokens", b.tokens},
          {"rows", b.rows},
          {"parameters", b.parameters},
          {"threads", b.threads},
          {"peak_gflops", b.peak_gflops},
          {"peak_measurements", b.peak_measurements},
          {"cpu_share", b.cpu_share},
          {"work_gflop", b.work.total() * 1e-9},
          {"work_matrices_gflop", b.work.matrices * 1e-9},
          {"work_attention_gflop", b.work.attention * 1e-9},
          {"work_classifier_gflop", b.work.classifier * 1e-9},
          {"floor_ms", b.floor_ms()},
          {"repetitions", b.step.count()},
          {"step_ms_median", b.step.median()},
          {"step_ms_minimum", b.step.minimum()},
          {"floor_percent_median", 100 * b.floor_ms() / b.step.median()},
          {"floor_percent_minimum", 100 * b.floor_ms() / b.step.minimum()},
          {"fma_rate_percent_median", 100 * b.share.median()},
          {"phases_ms", phases},
          {"next_step_ms_median", b.next.median()},
          {"next_step_ms_minimum", b.next.minimum()},
          {"optimizer_ms_median", b.optimizer.median()},
          {"optimizer_ms_minimum", b.optimizer.minimum()},
          {"with_update_ms_median", b.whole.median()},
          {"with_update_ms_minimum", b.whole.minimum()},
          {"samples",
           {{"step_ms", b.step.values()},
            {"next_step_ms", b.next.values()},
            {"optimizer_ms", b.optimizer.values()},
            {"with_update_ms", b.whole.values()}}},
          {"optimizer_ms_per_100m", MsPer100M(b)},
          {"adamw_ms_median", b.adamw.median()},
          {"adamw_ratio_to_bare_loop", b.adamw_ratio.median()},
          {"tokens_per_s", TokensPerSecond(b)},
          {"tokens_per_s_with_updates", TokensPerSecondWithUpdates(b)}};
}

}  // namespace millwright::app
