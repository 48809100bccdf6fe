// Which steps of a plan may go on beside the others, and for which of them a step has to wait.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/plan.h"

namespace millwright::train {

// Gradients of weights: nothing in the list reads them, and they never use the device.
bool RunsBeside(const PlanStep& step);

// The buffers that a step writes; of a step that RunsBeside, those that it shares with others.
std::vector<std::string> WrittenBuffers(const PlanStep& step, const kernels::KernelSpec& spec);

// The list is run in order, but the steps that RunsBeside are only handed to a queue, which runs
// them in the same order. For each step of the list the number of them that must be finished before
// it: it writes over what they read or write. 0 for those steps themselves, and where a step need
// not wait.
std::vector<int64_t> StepsToWaitFor(const std::vector<PlanStep>& steps,
                                    const kernels::KernelSpec& spec);

}  // namespace millwright::train
