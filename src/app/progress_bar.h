// A bar on the terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace millwright::app {

// Drawn on stderr, in place, where stderr is a terminal; otherwise nothing is written.
class ProgressBar {
 public:
  // `unit`: what is counted, with how many of it make one shown ("MB", 1e6).
  ProgressBar(std::string unit, double scale);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `total` is 0 where it is not known. `note`, if any, stands last.
  void Show(int64_t done, int64_t total, std::string_view note = "");

 private:
  std::string unit_;
  double scale_;
  bool terminal_;
  Stopwatch watch_;
  double next_ms_ = 200;  // short work shows no bar
  bool drawn_ = false;
};

}  // namespace millwright::app
