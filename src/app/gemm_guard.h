// Notices a GEMM library that takes this CPU for another one. Such a library computes the right
// numbers many times too slowly, and says nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "math/gemm_table.h"

namespace millwright::app {

// A product that is tried out.
struct GemmProbe {
  std::string name;            // "forward"
  std::string implementation;  // as the library calls it
  double gflop = 0;            // of a run
  std::function<void()> run;
};

// A line that names the slowest probe if its best run stays under a third of `fma_gflops`, or if a
// library calls its implementation "ref"; else empty. Counts the time of this thread alone, so that
// neighbours on the machine raise no alarm; takes some milliseconds a probe.
std::string SlowGemmWarning(const std::vector<GemmProbe>& probes, double fma_gflops);

// Tries one small product of each role on one thread, as an engine with `table` (or null) chooses
// them, and prints the warning, if any, to stderr. Takes about 50 ms.
void WarnOfSlowGemm(std::shared_ptr<const math::GemmTable> table);

}  // namespace millwright::app
