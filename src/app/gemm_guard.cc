#include "app/gemm_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <tuple>

#include "app/bench_operands.h"
#include "app/restore_threads.h"
#include "math/gemm.h"
#include "math/peak.h"

namespace millwright::app {
namespace {

// A library that knows this CPU reaches twice this share, one that takes it for the generation
// before half of that.
constexpr double kLeastShare = 1.0 / 3;

double ThreadSeconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

double BestGflops(const GemmProbe& probe, const std::function<double()>& clock) {
  constexpr int kRuns = 12;
  constexpr double kLongSeconds = 0.02;
  double best = 0, seconds = 0;
  probe.run();
  for (int i = 0; i < kRuns && seconds < kLongSeconds; ++i) {
    const double start = clock();
    probe.run();
    const double run = std::max(clock() - start, 1e-9);
    best = std::max(best, probe.gflop / run);
    seconds += run;
  }
  return best;
}

std::string SlowGemmWarning(const std::vector<GemmRate>& rates, double fma_gflops) {
  const GemmRate* slowest = nullptr;
  double least = kLeastShare * fma_gflops;
  for (const GemmRate& rate : rates) {
    if (rate.implementation.starts_with("ref")) {
      return fmt::format(
          "warning: the GEMM library has only reference loops ({}) for {} products: training will "
          "be very slow (docs/devices.md)",
          rate.implementation, rate.name);
    }
    if (rate.gflops >= least) continue;
    slowest = &rate;
    least = rate.gflops;
  }
  if (slowest == nullptr) return "";
  return fmt::format(
      "warning: {} products ({}) reach {:.1f} of the {:.1f} GFLOP/s that this CPU's multiply-adds "
      "do: the GEMM library seems to take it for another CPU (docs/devices.md)",
      slowest->name, slowest->implementation, least, fma_gflops);
}

void WarnOfSlowGemm(std::shared_ptr<const math::GemmTable> table) {
  constexpr int64_t kSize = 256;
  constexpr double kPeakSeconds = 0.008;
  const RestoreThreads restore;
  SetThreads(1);
  math::GemmEngine engine(std::move(table));
  constexpr auto kCount = static_cast<size_t>(kSize * kSize);
  const AlignedBuffer<float> a = RandomValues(kCount, 1.0, 0), b = RandomValues(kCount, 1.0, 1);
  AlignedBuffer<float> c(kCount);
  std::vector<GemmRate> rates;
  for (const auto& [name, transpose_a, transpose_b] : {std::tuple{"forward", false, false},
                                                       {"backward", true, false},
                                                       {"gradient", false, true}}) {
    const auto shape = math::DenseGemm(kSize, kSize, kSize, transpose_a, transpose_b);
    const GemmProbe probe{
        .gflop = 2e-9 * static_cast<double>(kSize * kSize * kSize),
        .run = [&engine, &a, &b, &c, shape] { engine.Run(shape, a.data(), b.data(), c.data()); }};
    rates.push_back({name, engine.Describe(shape), BestGflops(probe, ThreadSeconds)});
  }
  const std::string warning = SlowGemmWarning(rates, math::MeasureFmaRate(kPeakSeconds).best);
  if (!warning.empty()) fmt::print(stderr, "{}\n", warning);
}

}  // namespace millwright::app
