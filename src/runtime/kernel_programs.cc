#include "runtime/kernel_programs.h"

#include <algorithm>

#include "base/clock.h"

namespace millwright::runtime {

using kernels::KernelDef;
using kernels::KernelId;

device::Executable* KernelPrograms::executable(KernelId kernel) const {
  const auto& compiled = compiled_[Index(kernel)];
  return compiled == nullptr ? nullptr : compiled->executable.get();
}

bool KernelPrograms::HasWeights(KernelId kernel) const {
  return std::ranges::any_of(operands(kernel).inputs, &kernels::Operand::weight);
}

bool KernelPrograms::BakesWeights(KernelId kernel) const {
  return spec_.binding == kernels::Binding::kConstant && HasWeights(kernel);
}

Status KernelPrograms::Make(const std::set<KernelId>& only) {
  for (const KernelDef* kernel : kernels::AllKernels()) {
    if (!only.empty() && !only.contains(kernel->id)) continue;
    operands_[Index(kernel->id)] = kernel->operands(spec_);
    if (!Has(kernel->id)) continue;
    if (Status status = MakeOne(*kernel); !status) return status;
  }
  return {};
}

Status KernelPrograms::MakeOne(const KernelDef& kernel) {
  auto program = kernels::Generate(kernel, spec_);
  if (!program) return program.error();
  for (const device::Issue& issue : device_.Check(program->program)) {
    if (!issue.is_error()) continue;
    return BadInput("kernel {} cannot run on device {}: {} {}: {}", kernel.name, device_.name(),
                    issue.constraint, issue.where, issue.message);
  }
  programs_[Index(kernel.id)] = *std::move(program);
  if (BakesWeights(kernel.id)) return {};
  auto compiled = Compile(kernel.id, programs_[Index(kernel.id)].constants);
  if (!compiled) return compiled.error();
  compiled_[Index(kernel.id)] = *std::move(compiled);
  return {};
}

Result<std::unique_ptr<Compiled>> KernelPrograms::Compile(KernelId kernel, mil::WeightStore blobs) {
  const Stopwatch watch;
  auto result = std::make_unique<Compiled>();
  result->weights = std::move(blobs);
  auto executable = device_.Compile(program(kernel).program, result->weights);
  if (!executable) {
    return executable.error().In(
        fmt::format("kernel {} on device {}", kernels::Get(kernel).name, device_.name()));
  }
  result->executable = std::move(*executable);
  ++compiles_.programs;
  compiles_.ms += watch.ms();
  return result;
}

}  // namespace millwright::runtime
