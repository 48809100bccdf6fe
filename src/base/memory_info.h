// How much memory the machine can still give.
#pragma once

#include <cstdint>

namespace millwright {

// Bytes that a new process may use without pushing others out: MemAvailable where the system tells
// it, else all of the physical memory; 0 if nothing is known.
uint64_t AvailableMemory();

// The largest resident size of this process so far, in bytes.
uint64_t PeakResidentMemory();

}  // namespace millwright
