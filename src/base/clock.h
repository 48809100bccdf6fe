// Elapsed time.
#pragma once

#include <chrono>

namespace millwright {

// Measures from its construction, or from Restart.
class Stopwatch {
 public:
  double ms() const { return std::chrono::duration<double, std::milli>(Now() - start_).count(); }
  void Restart() { start_ = Now(); }

 private:
  using Clock = std::chrono::steady_clock;
  static Clock::time_point Now() { return Clock::now(); }
  Clock::time_point start_ = Now();
};

}  // namespace millwright
