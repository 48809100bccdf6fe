// What the training kernels of a network are and cost, as text.
#pragma once

#include <string>

#include "base/result.h"
#include "kernels/kernel.h"

namespace millwright::app {

// One line a kernel: work and memory of a launch, launches a training step, ports with their
// shapes; then the totals of a step. Attention is counted without its causal savings.
Result<std::string> KernelTable(const kernels::KernelSpec& spec);

}  // namespace millwright::app
