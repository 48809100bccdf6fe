#include "app/bench_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/clock.h"
#include "base/memory_info.h"
#include "base/rng.h"
#include "base/threads.h"
#include "data/vocabulary.h"
#include "math/update_loop.h"
#include "train/footprint.h"
#include "train/network.h"
#include "train/optimizer.h"

namespace millwright::app {
namespace {

using train::Phase;

constexpr int64_t kAccum = 10;  // micro-steps an update, as training has by default

Result<data::VocabMap> MakeVocab(int64_t vocab, int64_t rows) {
  if (rows >= vocab) return data::VocabMap::FromActive(data::VocabMode::kFull, vocab, {});
  std::vector<int32_t> active(static_cast<size_t>(rows - 1));  // one more row is shared
  std::iota(active.begin(), active.end(), 0);
  return data::VocabMap::FromActive(data::VocabMode::kExact, vocab, std::move(active));
}

std::vector<int32_t> RandomRows(int64_t count, int64_t rows, uint64_t stream) {
  const Rng rng(1, stream);
  std::vector<int32_t> result(static_cast<size_t>(count));
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<int32_t>(rng.Below(i, static_cast<uint64_t>(rows)));
  }
  return result;
}

Status CheckMemory(const device::Device& device, const model::ModelConfig& config, int64_t rows) {
  train::TrainOptions options;
  options.config = config;
  const uint64_t need =
      train::EstimateFootprint(options, device, rows).total() + math::UpdateLoop::kBytes;
  const uint64_t available = AvailableMemory();
  if (available == 0 || need <= available) return {};
  return Failed(
      "bench step with {} embedding rows needs {:.2f} GB of memory, {:.2f} GB are available", rows,
      static_cast<double>(need) / 1e9, static_cast<double>(available) / 1e9);
}

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

// One network, one sequence, again and again.
class StepRunner {
 public:
  StepRunner(train::Network<float>& network, StepBench& bench) : network_(network), bench_(bench) {
    rows_ = RandomRows(bench.tokens, bench.rows, 0);
    targets_ = RandomRows(bench.tokens, bench.rows, 1);
  }

  // A micro-step and an update; booked unless `warm_up`.
  Status Run(bool warm_up) {
    Stopwatch watch;
    auto loss = network_.LossAndGradient(rows_, targets_, 1.0);
    const double step_ms = watch.ms();
    if (!loss) return loss.error();
    const double bare_before = bare_.Run();
    watch.Restart();
    const auto norms = train::MeasureGradients(network_.parameters(), network_.vocab(), 1.0);
    const double norm_ms = watch.ms();
    train::Update(network_.parameters(), norms, {.lr = 1e-4, .adam_step = ++updates_});
    const double update_ms = watch.ms();
    if (auto status = network_.StageWeights(); !status) return status;
    const double optimizer_ms = watch.ms();
    const double bare_ms = (bare_before + bare_.Run()) / 2;
    if (warm_up) return {};
    Book(step_ms, optimizer_ms);
    bench_.adamw.Add(update_ms - norm_ms);
    const double elements = static_cast<double>(bench_.parameters);
    bench_.adamw_ratio.Add(bench_.adamw.latest() / elements /
                           (bare_ms / static_cast<double>(bare_.count())));
    return {};
  }

 private:
  void Book(double step_ms, double optimizer_ms) {
    bench_.step.Add(step_ms);
    bench_.optimizer.Add(optimizer_ms);
    const auto phases = NamedPhases(network_.times(), step_ms);
    bench_.phases.resize(phases.size());
    for (size_t i = 0; i < phases.size(); ++i) {
      bench_.phases[i].first = phases[i].first;
      bench_.phases[i].second.Add(phases[i].second);
    }
  }

  train::Network<float>& network_;
  StepBench& bench_;
  math::UpdateLoop bare_;
  std::vector<int32_t> rows_, targets_;
  int64_t updates_ = 0;
};

Status Measure(train::Network<float>& network, double seconds, const Progress& progress,
               StepBench* bench) {
  constexpr size_t kLeast = 3;
  StepRunner runner(network, *bench);
  if (auto status = runner.Run(true); !status) return status;
  PeakMeter peak;
  const Stopwatch total;
  peak.Measure();
  while (bench->step.count() < kLeast || total.ms() < seconds * 1e3) {
    const double before = peak.latest();
    if (auto status = runner.Run(false); !status) return status;
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

double TokensPerSecond(const StepBench& b, double update_share) {
  return static_cast<double>(b.tokens) * 1e3 /
         (b.step.median() + update_share * b.optimizer.median());
}

}  // namespace

StepWork WorkOfStep(const model::ModelConfig& config, int64_t rows) {
  int64_t matrices = 0;
  for (const model::TensorSpec& spec : model::TensorTable(config)) {
    const bool counts = !spec.is_norm() && !spec.has_vocab_rows();
    if (counts) matrices += NumElements(spec.shape);
  }
  const auto t = static_cast<double>(config.seq);
  return {.matrices = 6 * static_cast<double>(matrices) * t,
          .attention = 6 * t * t * static_cast<double>(config.q_dim() * config.layers),
          .classifier = 6 * static_cast<double>(rows * config.dim) * t};
}

Result<StepBench> BenchStep(device::Device& device, const model::ModelConfig& config, int64_t rows,
                            double seconds, const Progress& progress) {
  if (rows < 2) return BadInput("--vocab-rows {}: at least 2 are needed", rows);
  rows = std::min(rows, config.vocab);
  if (auto status = CheckMemory(device, config, rows); !status) return status.error();
  auto vocab = MakeVocab(config.vocab, rows);
  if (!vocab) return vocab.error();
  auto network = train::Network<float>::Create(device, {.config = config}, std::move(*vocab));
  if (!network) return network.error();
  (*network)->parameters().Init(42, (*network)->vocab());
  if (auto status = (*network)->StageWeights(); !status) return status.error();
  StepBench bench{.model = std::string(config.title),
                  .tokens = config.seq,
                  .rows = rows,
                  .parameters = (*network)->parameters().count(),
                  .threads = GetThreads(),
                  .work = WorkOfStep(config, rows)};
  if (auto status = Measure(**network, seconds, progress, &bench); !status) return status.error();
  return bench;
}

std::string ToText(const StepBench& b) {
  const double floor = b.floor_ms(), median = b.step.median(), least = b.step.minimum();
  std::string text =
      fmt::format("step of {}: {} tokens, {} embedding rows, {:.1f}M parameters, {} threads\n",
                  b.model, b.tokens, b.rows, static_cast<double>(b.parameters) / 1e6, b.threads);
  const auto line = [&](std::string_view label, const std::string& value) {
    fmt::format_to(std::back_inserter(text), "  {:<20}{}\n", label, value);
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
  line("optimizer", fmt::format("{:.1f} ms [minimum {:.1f}], {:.1f} ms per 100M parameters",
                                b.optimizer.median(), b.optimizer.minimum(), MsPer100M(b)));
  line("  AdamW", fmt::format("{:.1f} ms, {:.2f} times a bare loop with its reads and writes",
                              b.adamw.median(), b.adamw_ratio.median()));
  line("tokens/s", fmt::format("{:.1f}, with an update every {} micro-steps {:.1f}",
                               TokensPerSecond(b, 0), kAccum, TokensPerSecond(b, 1.0 / kAccum)));
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
          {"optimizer_ms_median", b.optimizer.median()},
          {"optimizer_ms_minimum", b.optimizer.minimum()},
          {"optimizer_ms_per_100m", MsPer100M(b)},
          {"adamw_ms_median", b.adamw.median()},
          {"adamw_ratio_to_bare_loop", b.adamw_ratio.median()},
          {"tokens_per_s", TokensPerSecond(b, 0)},
          {"tokens_per_s_with_updates", TokensPerSecond(b, 1.0 / kAccum)}};
}

}  // namespace millwright::app
