// What every benchmark measures with.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace millwright::app {

// Where a benchmark says how far it is. Empty: nowhere.
using Progress = std::function<void(const std::string&)>;

// The machine's fp32 peak, taken again and again between the measurements that it is compared with:
// clocks and neighbours change within minutes, so a peak from another moment says little.
class PeakMeter {
 public:
  void Measure(double seconds = 0.1);
  double gflops() const { return best_; }    // the best so far
  double latest() const { return latest_; }  // the mean of the latest measurement
  int count() const { return count_; }
  // The share of the threads' time that they had a core to themselves, 0 to 1: the peak loops never
  // wait, so what is missing went to other processes.
  double cpu_share() const;

 private:
  double best_ = 0, latest_ = 0;
  int count_ = 0;
  double cpu_ms_ = 0, thread_ms_ = 0;
};

// A line of warning where other processes took so much of the CPU that figures mislead; else empty.
std::string LoadWarning(double cpu_share);

// What repetitions gave, mostly times in milliseconds.
class Samples {
 public:
  void Add(double value) { values_.push_back(value); }
  const std::vector<double>& values() const { return values_; }
  size_t count() const { return values_.size(); }
  double first() const { return values_.front(); }  // there must be one
  double latest() const { return values_.back(); }  // there must be one
  double minimum() const;                           // 0 without samples
  double median() const;

 private:
  std::vector<double> values_;
};

// Something whose speed is of interest, and how much of it a run is.
struct RatedWork {
  double gflop = 0;
  std::function<void()> run;
};

// What a work came to: the time of a run, and its rate as a share of the mean FMA rate measured
// right before and after it.
struct Rated {
  Samples ms;
  Samples share;
};

// Measures the works in turns for about `seconds` in all, after one run each to warm up: a slice
// of some milliseconds of each, with the FMA rate before and after it. Neighbours on the machine
// disturb all of them alike, so that their shares can be compared.
std::vector<Rated> MeasureInTurns(const std::vector<RatedWork>& works, double seconds,
                                  PeakMeter& peak);

// Runs `work` once to warm up, then at least three times and until `seconds` have passed.
Samples Repeat(double seconds, const std::function<void()>& work);

}  // namespace millwright::app
