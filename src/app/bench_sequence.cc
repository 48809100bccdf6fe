#include "app/bench_sequence.h"

#include <fmt/format.h>

namespace millwright::app {
namespace {

double MsPerToken(const StepBench& b) { return b.step.median() / static_cast<double>(b.tokens); }

double GflopPerToken(const StepBench& b) {
  return b.work.total() * 1e-9 / static_cast<double>(b.tokens);
}

}  // namespace

double SequenceBench::time_growth(size_t i) const {
  return MsPerToken(steps[i]) / MsPerToken(steps[0]);
}

double SequenceBench::work_growth(size_t i) const {
  return GflopPerToken(steps[i]) / GflopPerToken(steps[0]);
}

double SequenceBench::excess(size_t i) const {
  return steps[0].share.median() / steps[i].share.median();
}

Result<SequenceBench> BenchSequence(device::Device& device, const model::ModelConfig& config,
                                    int64_t rows, std::span<const int64_t> lengths, double seconds,
                                    const Progress& progress,
                                    std::shared_ptr<const math::GemmTable> gemm_table) {
  SequenceBench bench;
  for (const int64_t length : lengths) {
    model::ModelConfig longer = config;
    longer.seq = length;
    auto step = BenchStep(device, longer, rows, seconds / static_cast<double>(lengths.size()),
                          progress, gemm_table);
    if (!step) return step.error().In(fmt::format("bench sequence, {} tokens", length));
    bench.steps.push_back(std::move(*step));
  }
  return bench;
}

std::string ToText(const SequenceBench& bench) {
  if (bench.steps.empty()) return "";
  std::string text = fmt::format("sequences of {}: forward + backward, {} embedding rows\n",
                                 bench.steps[0].model, bench.steps[0].rows);
  text += fmt::format("  {:>6} {:>10} {:>9} {:>14} {:>7} {:>7} {:>8} {:>7}\n", "tokens", "ms",
                      "ms/token", "GFLOP/token", "time x", "work x", "% beside", "excess");
  for (size_t i = 0; i < bench.steps.size(); ++i) {
    const StepBench& b = bench.steps[i];
    text += fmt::format(
        "  {:>6} {:>10.1f} {:>9.3f} {:>14.4f} {:>7.3f} {:>7.3f} {:>8.1f} {:>7.3f}\n", b.tokens,
        b.step.median(), MsPerToken(b), GflopPerToken(b), bench.time_growth(i),
        bench.work_growth(i), 100 * b.share.median(), bench.excess(i));
  }
  return text;
}

nlohmann::json ToJson(const SequenceBench& bench) {
  nlohmann::json lengths = nlohmann::json::array();
  for (size_t i = 0; i < bench.steps.size(); ++i) {
    lengths.push_back({{"step", ToJson(bench.steps[i])},
                       {"ms_per_token", MsPerToken(bench.steps[i])},
                       {"gflop_per_token", GflopPerToken(bench.steps[i])},
                       {"time_growth", bench.time_growth(i)},
                       {"work_growth", bench.work_growth(i)},
                       {"excess", bench.excess(i)}});
  }
  return lengths;
}

}  // namespace millwright::app
