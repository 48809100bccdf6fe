#include "app/bench_measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/clock.h"
#include "base/threads.h"
#include "math/peak.h"

namespace millwright::app {

void PeakMeter::Measure(double seconds) {
  const Stopwatch watch;
  const std::clock_t cpu = std::clock();  // of all threads
  const math::FmaRate rate = math::MeasureFmaRate(seconds);
  best_ = std::max(best_, rate.best);
  latest_ = rate.mean;
  cpu_ms_ += 1e3 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  thread_ms_ += watch.ms() * GetThreads();
  ++count_;
}

double PeakMeter::cpu_share() const {
  return thread_ms_ > 0 ? std::min(1.0, cpu_ms_ / thread_ms_) : 1.0;
}

std::string LoadWarning(double cpu_share) {
  constexpr double kQuiet = 0.95;
  if (cpu_share >= kQuiet) return "";
  return fmt::format(
      "  beware: other processes took {:.0f} % of the cores meanwhile; these figures are too low\n",
      100 * (1 - cpu_share));
}

double Samples::minimum() const {
  return values_.empty() ? 0.0 : *std::min_element(values_.begin(), values_.end());
}

double Samples::median() const {
  if (values_.empty()) return 0.0;
  std::vector<double> sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

std::vector<Rated> MeasureInTurns(const std::vector<RatedWork>& works, double seconds,
                                  PeakMeter& peak) {
  constexpr size_t kLeast = 3;
  constexpr double kPeakSeconds = 0.006, kSliceMs = 12;
  std::vector<Rated> results(works.size());
  for (const RatedWork& work : works) work.run();
  const Stopwatch total;
  peak.Measure(kPeakSeconds);
  for (size_t round = 0; round < kLeast || total.ms() < seconds * 1e3; ++round) {
    for (size_t i = 0; i < works.size(); ++i) {
      const double before = peak.latest();
      const Stopwatch watch;
      int runs = 0;
      do {
        works[i].run();
        ++runs;
      } while (watch.ms() < kSliceMs);
      const double ms = watch.ms() / runs;
      peak.Measure(kPeakSeconds);
      results[i].ms.Add(ms);
      results[i].share.Add(2e3 * works[i].gflop / ms / (before + peak.latest()));
    }
  }
  return results;
}

Samples Repeat(double seconds, const std::function<void()>& work) {
  constexpr size_t kLeast = 3;
  work();
  Samples samples;
  const Stopwatch total;
  while (samples.count() < kLeast || total.ms() < seconds * 1e3) {
    const Stopwatch watch;
    work();
    samples.Add(watch.ms());
  }
  return samples;
}

}  // namespace millwright::app
