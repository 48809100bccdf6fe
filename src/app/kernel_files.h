// The training kernels as files: MIL text and weight blobs.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "kernels/kernel.h"

namespace millwright::app {

// What the ANE takes: fp16, packed surfaces padded to 32 columns, attention's backward in two
// halves.
kernels::KernelSpec AneSpec(const model::ModelConfig& config, kernels::Binding binding);

struct EmittedKernels {
  int64_t programs = 0;
  int64_t weight_files = 0;
};

// Writes dir/<nn>_<name>.mil for each kernel and dir/weights/*.bin for their constants. In binding
// kConstant the weights themselves are drawn from `seed`, normal(0, 0.02) and norms 1, the same
// matrix in every kernel that reads it. The folder appears whole or not at all; one that exists and
// is not empty is bad input.
Result<EmittedKernels> EmitKernels(const kernels::KernelSpec& spec, uint64_t seed,
                                   const std::string& dir);

}  // namespace millwright::app
