// The kernels of a session as programs on its device.
#pragma once

#include <array>
#include <memory>
#include <set>

#include "base/result.h"
#include "device/device.h"
#include "kernels/kernel.h"

namespace millwright::runtime {

struct CompileCounts {
  int64_t programs = 0;  // compiled since the session was opened, recompilations included
  double ms = 0;
};

// A program as the device has it. Executables refer to the weights, so both live together.
struct Compiled {
  mil::WeightStore weights;
  std::unique_ptr<device::Executable> executable;
};

class KernelPrograms {
 public:
  // The device must outlive the programs.
  KernelPrograms(device::Device& device, kernels::KernelSpec spec)
      : device_(device), spec_(std::move(spec)) {}

  // Generates the kernels of `only` (empty: all) that the spec asks for, has the device check them,
  // and compiles those whose weights are not baked in.
  Status Make(const std::set<kernels::KernelId>& only);

  const kernels::KernelSpec& spec() const { return spec_; }
  bool Has(kernels::KernelId kernel) const { return !operands(kernel).outputs.empty(); }
  const kernels::KernelProgram& program(kernels::KernelId kernel) const {
    return programs_[Index(kernel)];
  }
  const kernels::Operands& operands(kernels::KernelId kernel) const {
    return operands_[Index(kernel)];
  }
  // Null where BakesWeights.
  device::Executable* executable(kernels::KernelId kernel) const;

  bool HasWeights(kernels::KernelId kernel) const;
  // Whether each launch needs a program of its own, compiled anew when its weights change.
  bool BakesWeights(kernels::KernelId kernel) const;
  // Such a program; `blobs` are the kernel's constants and weights.
  Result<std::unique_ptr<Compiled>> Compile(kernels::KernelId kernel, mil::WeightStore blobs);

  const CompileCounts& compiles() const { return compiles_; }

 private:
  static size_t Index(kernels::KernelId kernel) { return static_cast<size_t>(kernel); }
  Status MakeOne(const kernels::KernelDef& kernel);

  device::Device& device_;
  kernels::KernelSpec spec_;
  std::array<kernels::KernelProgram, kernels::kKernelCount> programs_;
  std::array<kernels::Operands, kernels::kKernelCount> operands_;
  std::array<std::unique_ptr<Compiled>, kernels::kKernelCount> compiled_;
  CompileCounts compiles_;
};

}  // namespace millwright::runtime
