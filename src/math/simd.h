// Which instruction sets the vector loops are built for. Include before any Highway header.
//
// Left out, because each costs a compilation of every loop: SSSE3 (all CPUs of the last fifteen
// years have SSE4), AVX3_DL (its additions are integer instructions that no loop here uses), and
// SVE (its vectors have no size at compile time, so accumulators cannot be struct members; those
// CPUs run the NEON loops).
#pragma once

#include "hwy/detect_compiler_arch.h"

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
