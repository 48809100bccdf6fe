#include "app/bench_scaling.h"

#include <fmt/format.h>

#include "app/bench_network.h"
#include "app/restore_threads.h"
#include "base/clock.h"

namespace millwright::app {
namespace {

// One micro-step on `point.threads` threads, between two measurements of their FMA rate.
Status MeasureOnce(BenchNetwork& network, double gflop, ScalingPoint& point) {
  SetThreads(point.threads);
  PeakMeter peak;
  peak.Measure();
  const double before = peak.latest();
  const auto ms = network.Step();
  if (!ms) return ms.error();
  peak.Measure();
  const double rate = (before + peak.latest()) / 2;
  point.step.Add(*ms);
  point.rate.Add(rate);
  point.share.Add(gflop * 1e3 / *ms / rate);
  return {};
}

nlohmann::json ToJson(const ScalingPoint& point) {
  return {{"threads", point.threads},
          {"step_ms_median", point.step.median()},
          {"step_ms_minimum", point.step.minimum()},
          {"fma_gflops_median", point.rate.median()},
          {"fma_rate_percent_median", 100 * point.share.median()}};
}

}  // namespace

Result<ScalingBench> BenchScaling(device::Device& device, const model::ModelConfig& config,
                                  int64_t rows, double seconds, const Progress& progress,
                                  std::shared_ptr<const math::GemmTable> gemm_table) {
  constexpr size_t kLeast = 3;
  const RestoreThreads restore;
  if (GetThreads() < 2) return BadInput("bench scaling: needs two threads, there is one");
  auto network = BenchNetwork::Create(device, config, rows, std::move(gemm_table));
  if (!network) return network.error().In("bench scaling");
  ScalingBench bench{.model = std::string(config.title),
                     .rows = (*network)->rows(),
                     .one = {.threads = 1},
                     .all = {.threads = GetThreads()}};
  const double gflop = WorkOfStep(config, bench.rows).total() * 1e-9;
  if (const auto warm_up = (*network)->Step(); !warm_up) return warm_up.error();
  const Stopwatch total;
  while (bench.all.step.count() < kLeast || total.ms() < seconds * 1e3) {
    for (ScalingPoint* point : {&bench.one, &bench.all}) {
      if (auto status = MeasureOnce(**network, gflop, *point); !status) return status.error();
    }
    if (progress) {
      progress(fmt::format("scaling, repetition {}: {:.1f} ms, {:.1f} ms", bench.all.step.count(),
                           bench.one.step.latest(), bench.all.step.latest()));
    }
  }
  return bench;
}

std::string ToText(const ScalingBench& b) {
  std::string text =
      fmt::format("scaling of {}: forward + backward, {} embedding rows\n", b.model, b.rows);
  for (const ScalingPoint* p : {&b.one, &b.all}) {
    text += fmt::format(
        "  {:>2} threads  {:>9.1f} ms [minimum {:.1f}]  FMA {:>7.1f} GFLOP/s  {:>5.1f} % of it\n",
        p->threads, p->step.median(), p->step.minimum(), p->rate.median(), 100 * p->share.median());
  }
  return text + fmt::format("  a step gains {:.2f}, multiply-adds {:.2f}: {:.3f} of it\n",
                            b.step_ratio(), b.fma_ratio(), b.efficiency());
}

nlohmann::json ToJson(const ScalingBench& b) {
  return {{"model", b.model},
          {"rows", b.rows},
          {"points", {ToJson(b.one), ToJson(b.all)}},
          {"step_ratio", b.step_ratio()},
          {"fma_ratio", b.fma_ratio()},
          {"efficiency", b.efficiency()}};
}

}  // namespace millwright::app
