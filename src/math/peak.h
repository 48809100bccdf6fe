// The machine's ceilings, measured: what a benchmark's figures are a share of.
#pragma once

namespace millwright::math {

// fp32 multiply-adds per second on all threads, times two, in GFLOP/s: independent register chains
// of the widest vectors that the dispatcher picks, for about `seconds`; the best of several slices.
double MeasureFmaPeak(double seconds);

// Bytes per second read from memory on all threads, in GB/s, over 512 MiB, which is more than the
// caches hold; 0 if there is not that much memory.
double MeasureReadBandwidth(double seconds);

}  // namespace millwright::math
