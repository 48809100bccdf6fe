#include "app/bench_measure.h"

#include <algorithm>

#include "base/clock.h"

namespace millwright::app {

double Samples::minimum() const {
  return ms_.empty() ? 0.0 : *std::min_element(ms_.begin(), ms_.end());
}

double Samples::median() const {
  if (ms_.empty()) return 0.0;
  std::vector<double> sorted = ms_;
  std::sort(sorted.begin(), sorted.end());
  const size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
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
