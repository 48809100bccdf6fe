// Operands of benchmarks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/aligned.h"

namespace millwright::app {

// More than the caches of a CPU hold, in floats: 512 MiB.
inline constexpr size_t kBeyondCaches = size_t{1} << 27;

// Values in [-scale / 2, scale / 2), random but for being the same block again and again, so that
// gigabytes are full at once.
AlignedBuffer<float> RandomValues(size_t count, double scale, uint64_t stream);

}  // namespace millwright::app
