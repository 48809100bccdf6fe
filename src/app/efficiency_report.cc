#include "app/efficiency_report.h"

#include <cstdio>

namespace millwright::app {
namespace {

constexpr double kAneTflops = 15.8;  // what the reference takes for the peak of an M4's ANE

double PerStep(const train::RunTotals& totals, int64_t count) {
  return totals.steps > 0 ? static_cast<double>(count) / static_cast<double>(totals.steps) : 0;
}

void PrintLaunches(const train::RunTotals& totals) {
  const runtime::KernelTimes& kernels = totals.kernels;
  fmt::print("Launches:     {:g} a step\n", PerStep(totals, kernels.runs));
  fmt::print("Host copies:  {:g} operands a step, {:.2f} MB; {:g} went from kernel to kernel\n",
             PerStep(totals, kernels.copies), PerStep(totals, kernels.copied_bytes) * 1e-6,
             PerStep(totals, kernels.handed_on));
}

// Weights as data, which this run had, against baked-in weights: in this run's time for a program.
void PrintSavedCompiling(const train::TrainOptions& o, const train::RunTotals& totals,
                         const runtime::Session<float>& session) {
  if (totals.programs == 0) return;
  const auto programs = static_cast<double>(totals.programs);
  // The first weights are compiled too.
  const int64_t stagings = (totals.steps + o.accum - 1) / o.accum + 1;
  const auto baked = static_cast<double>(session.launches_with_weights() * stagings);
  fmt::print(
      "Weights as data: {} programs for {} steps; baked in, {} an update would be {:g} programs "
      "and {:.1f}s, {:.0f}x the compiling\n",
      totals.programs, totals.steps, session.launches_with_weights(), baked,
      baked * totals.compile_ms / programs / 1000, baked / programs);
}

// What baked-in weights cost, against weights that are data.
void PrintRecompilation(const train::RunTotals& totals, const runtime::Session<float>& session) {
  const double each =
      totals.programs > 0 ? totals.compile_ms / static_cast<double>(totals.programs) : 0;
  const auto kernels = static_cast<int64_t>(kernels::TrainingKernels().size());
  const double as_data = each * static_cast<double>(kernels);
  fmt::print("Recompiling:  {} programs an update, {} for {} steps, in {} {}\n",
             session.programs_per_staging(), totals.programs, totals.steps, totals.processes,
             totals.processes == 1 ? "process" : "processes");
  fmt::print(
      "Weights as data: {} programs once, {:.0f}ms: {:.1f}x less compiling, {:.1f}% of the "
      "wall time saved\n",
      kernels, as_data, as_data > 0 ? totals.compile_ms / as_data : 0,
      totals.wall_ms > 0 ? 100 * (totals.compile_ms - as_data) / totals.wall_ms : 0);
}

}  // namespace

double ForwardMegaflops(const train::TrainOptions& o) {
  const model::ModelConfig& c = o.config;
  const int64_t matrices = c.dim * (2 * c.q_dim() + 2 * c.kv_dim() + 3 * c.hidden_dim);
  return 2.0 * static_cast<double>(c.layers * matrices * c.seq * o.batch) / 1e6;
}

void PrintProducts(const runtime::Session<float>& session) {
  const auto share = [](uint64_t part, uint64_t whole) {
    return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  };
  fmt::print(stderr, "{:<12} {:>16} {:>10} {:>14} {:>10}\n", "kernel", "products", "vanished",
             "sums", "overflowed");
  for (const kernels::KernelDef* kernel : kernels::AllKernels()) {
    if (!session.Has(kernel->id)) continue;
    const ProductCounts& counts = session.times(kernel->id).products;
    fmt::print(stderr, "{:<12} {:>16} {:>9.3f}% {:>14} {:>10}\n", kernel->name, counts.products,
               share(counts.vanished, counts.products), counts.sums, counts.saturated);
  }
}

void PrintReport(const train::TrainOptions& o, const train::RunTotals& totals,
                 const runtime::Session<float>& session, int64_t steps) {
  const double each = totals.steps > 0 ? totals.train_ms / static_cast<double>(totals.steps) : 0;
  const auto share = [&](double ms) { return totals.wall_ms > 0 ? 100 * ms / totals.wall_ms : 0; };
  fmt::print("\n=== Efficiency Report ===\nTotal steps:  {}\n", steps);
  fmt::print("Compile:      {:.0f}ms ({} programs, {:.1f}%)\n", totals.compile_ms, totals.programs,
             share(totals.compile_ms));
  fmt::print("Train time:   {:.0f}ms ({:.1f}ms/step)\n", totals.train_ms, each);
  fmt::print("Avg train:    {:.1f} ms/step\n", each);
  // MFLOP over ms are 1e-3 TFLOP/s. Two thirds of the products are the kernels'.
  const double tflops = each > 0 ? 3 * ForwardMegaflops(o) / each * 1e-3 : 0;
  const double ane = o.device == "ane" ? tflops * 2 / 3 : 0;
  fmt::print("ANE TFLOPS:   {:.2f} sustained\nTotal TFLOPS: {:.2f} (ANE+CPU)\n", ane, tflops);
  fmt::print("ANE utilization: {:.1f}% of {} TFLOPS\n", 100 * ane / kAneTflops, kAneTflops);
  fmt::print("Optimizer:    {:.0f}ms\n", totals.optimizer_ms);
  fmt::print("Telemetry:    {:.0f}ms ({:.2f}%)\n", totals.telemetry_ms, share(totals.telemetry_ms));
  fmt::print("Wall time:    {:.1f}s\n", totals.wall_ms / 1000);
  PrintLaunches(totals);
  if (session.programs_per_staging() > 0) {
    PrintRecompilation(totals, session);
  } else {
    PrintSavedCompiling(o, totals, session);
  }
  std::fflush(stdout);
}

}  // namespace millwright::app
