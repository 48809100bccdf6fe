// Which operands of a plan's kernels need not pass through host memory.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runtime/operand_flow.h"
#include "train/plan.h"

namespace millwright::train {

// One flow for each step of the plan's lists; empty for host steps.
struct Residency {
  std::vector<runtime::OperandFlow> forward, backward;
};

// An input comes from the device where a kernel has left it there: no host step has written to the
// buffer since, and no other launch has taken the place. An output stays there where no host step
// reads the buffer, nor a kernel that cannot find it there. `host_reads` are buffers that are read
// beside the plan.
//
// The backward list follows the forward one; in between the host writes "dx_final". Steps that are
// one launch (a recomputed forward step and the first one) have one flow.
Residency FindResidency(const Plan& plan, const kernels::KernelSpec& spec,
                        const std::set<std::string>& host_reads);

}  // namespace millwright::train
