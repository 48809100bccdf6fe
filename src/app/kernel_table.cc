#include "app/kernel_table.h"

#include "train/plan.h"

namespace millwright::app {
namespace {

using kernels::KernelDef;
using kernels::KernelId;
using kernels::KernelProgram;

int64_t LaunchesPerStep(const train::Plan& plan, KernelId kernel) {
  int64_t count = 0;
  for (const auto* steps : {&plan.forward, &plan.backward}) {
    for (const train::PlanStep& step : *steps) {
      count += step.kind == train::StepKind::kKernel && step.kernel == kernel;
    }
  }
  return count;
}

// "xnorm[1, 768, 1, 256] wq[1, 1, 768, 768]".
std::string PortList(const std::vector<kernels::Port>& ports) {
  std::string text;
  for (const kernels::Port& port : ports) {
    if (!text.empty()) text += " ";
    text += port.name + ShapeToString(port.type.shape);
  }
  return text;
}

struct Totals {
  double gflop = 0, megabytes = 0;
  int64_t launches = 0;
};

std::string KernelLine(const KernelProgram& program, size_t number, int64_t launches,
                       Totals* totals) {
  const kernels::KernelCost cost = kernels::CostOf(program);
  const double gflop = cost.flops * 1e-9, megabytes = cost.bytes * 1e-6;
  totals->gflop += gflop * static_cast<double>(launches);
  totals->megabytes += megabytes * static_cast<double>(launches);
  totals->launches += launches;
  return fmt::format("{:02}  {:<12} {:>9.3f} {:>9.2f} {:>9}   {} -> {}\n", number, program.name,
                     gflop, megabytes, launches, PortList(program.inputs),
                     PortList(program.outputs));
}

}  // namespace

Result<std::string> KernelTable(const kernels::KernelSpec& spec) {
  const train::Plan plan = train::MakePlan(spec, {});
  std::string text = fmt::format("{:<2}  {:<12} {:>9} {:>9} {:>9}   {}\n", "nn", "kernel", "GFLOP",
                                 "MB", "launches", "inputs -> outputs");
  Totals totals;
  for (const KernelDef* kernel : kernels::TrainingKernels()) {
    const size_t number = static_cast<size_t>(kernel->id) + 1;
    if (kernel->operands(spec).outputs.empty()) {
      text += fmt::format("{:02}  {:<12} {:>9} {:>9} {:>9}   {}\n", number, kernel->name, "-", "-",
                          "-", "(part of sdpaBwd1 on this device)");
      continue;
    }
    auto program = kernels::Generate(*kernel, spec);
    if (!program) return program.error();
    text += KernelLine(*program, number, LaunchesPerStep(plan, kernel->id), &totals);
  }
  text += fmt::format("{:<16} {:>9.3f} {:>9.2f} {:>9}\n", "a step", totals.gflop, totals.megabytes,
                      totals.launches);
  return text;
}

}  // namespace millwright::app
