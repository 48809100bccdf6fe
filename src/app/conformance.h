// Does a device compute the training kernels? Every kernel of three small networks in every
// binding, on random operands, held against the kernel's formula.
#pragma once

#include <string>
#include <vector>

#include "base/numerics.h"
#include "base/result.h"
#include "device/device.h"
#include "kernels/kernel.h"

namespace millwright::app {

// One kernel in one binding.
struct ConformanceResult {
  std::string config;
  kernels::Binding binding = kernels::Binding::kSeparate;
  std::string kernel;
  bool ok = false;
  bool compared = false;  // false: it never ran, or the device computes nothing
  double error = 0;       // the worst output's distance from the formula, relative to its norm
  double bound = 0;       // what rounding allows
  std::string problem;    // what is wrong, where it is not ok
};

// The networks for a device of `caps`: multi-head attention, and grouped-query attention with
// QK-norm, dimensions unequal wherever they may be; and one of multiples of 32, which is what
// products in 8 bits and the width rules of an ANE need. Where the widths of surfaces must be
// multiples of a number, all sizes are.
std::vector<model::ModelConfig> ConformanceConfigs(const device::Caps& caps = {});

// The bound on the normwise relative error of `program`, whose sums have up to `longest` terms, in
// `precision`: each operation on the way rounds once and each sum accumulates (Higham 2002, lemma
// 3.1 and equation 3.5), times 4, which is more than softmax and normalisation amplify at the size
// of these operands. `int8` adds, for each operand of each product, half a step of 1/127 of its
// largest element: the operands are normal draws, whose largest element is few deviations off;
// `bf16` the unit roundoff 2^-8.
// `ane` is treated as fp16 with another 16-bit rounding for every sum.
double ConformanceBound(const kernels::KernelProgram& program, Precision precision,
                        int64_t longest);

// All kernels of `config`, in every binding, on `device`, which was opened in `precision`.
std::vector<ConformanceResult> CheckConformance(device::Device& device, Precision precision,
                                                const model::ModelConfig& config);

}  // namespace millwright::app
