// The work of a kernel, as it is counted for rates.
#pragma once

#include "kernels/kernel.h"

namespace millwright::kernels {

// Multiply-adds times two of one launch. Of attention's products only what lies on or below the
// diagonal counts: a device may leave out the rest.
double UsefulFlops(const KernelProgram& program, KernelId kernel, const KernelSpec& spec);

}  // namespace millwright::kernels
