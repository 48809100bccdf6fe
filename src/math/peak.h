// The machine's ceilings, measured: what a benchmark's figures are a share of.
#pragma once

namespace millwright::math {

// Rates of several slices of a measurement, in GFLOP/s.
struct FmaRate {
  double best = 0;  // of a slice: the machine undisturbed
  double mean = 0;  // over all of them: the machine as it was
};

// fp32 multiply-adds per second on all threads, times two: independent register chains of the
// widest vectors that the dispatcher picks, for about `seconds`.
FmaRate MeasureFmaRate(double seconds);

// Bytes per second read from memory on all threads, in GB/s, over 512 MiB, which is more than the
// caches hold; 0 if there is not that much memory.
double MeasureReadBandwidth(double seconds);

}  // namespace millwright::math
