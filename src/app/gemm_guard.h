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
  double gflop = 0;  // of a run
  std::function<void()> run;
};

// GFLOP/s of the best of some runs, after one in which a library generates its code; of loops so
// slow that one takes long, of one. `clock` gives seconds; it should count the time of this thread
// alone, so that neighbours on the machine raise no alarm.
double BestGflops(const GemmProbe& probe, const std::function<double()>& clock);

// What was measured of a product.
struct GemmRate {
  std::string name;            // "forward"
  std::string implementation;  // as the library calls it
  double gflops = 0;
};

// A line that names the slowest product if it stays under a third of `fma_gflops`, or one whose
// implementation a library calls "ref"; else empty.
std::string SlowGemmWarning(const std::vector<GemmRate>& rates, double fma_gflops);

// Tries one small product of each role on one thread, as an engine with `table` (or null) chooses
// them, and prints the warning, if any, to stderr. Takes about 50 ms.
void WarnOfSlowGemm(std::shared_ptr<const math::GemmTable> table);

}  // namespace millwright::app
