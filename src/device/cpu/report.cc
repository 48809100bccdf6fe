#include "device/cpu/report.h"

#include <algorithm>

#include "device/cpu/cpu_device.h"
#include "device/cpu/lowering.h"
#include "mil/verify.h"

namespace millwright::device {
namespace {

constexpr std::string_view kNames[] = {
#define RULE(name, text) #name,
#include "device/cpu/rules.def"
#undef RULE
};

constexpr std::string_view kTexts[] = {
#define RULE(name, text) text,
#include "device/cpu/rules.def"
#undef RULE
};

constexpr CompileRule kRules[] = {
#define RULE(name, text) CompileRule::k##name,
#include "device/cpu/rules.def"
#undef RULE
};

constexpr int64_t kFloatBytes = sizeof(float);

std::vector<OperationReport> Operations(const mil::Function& function, const cpu::Trace& trace) {
  std::vector<OperationReport> operations;
  std::vector<int> places(function.operations.size(), -1);  // in `operations`
  for (size_t i = 0; i < function.operations.size(); ++i) {
    const mil::Operation& operation = function.operations[i];
    if (operation.op == "const") continue;
    places[i] = static_cast<int>(operations.size());
    operations.push_back({.op = operation.op,
                          .id = function.value(operation.outputs.front()).id,
                          .rules = trace.rules[i]});
  }
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0) continue;
    const int root = trace.group[i];
    operations[static_cast<size_t>(places[i])].root = places[static_cast<size_t>(root)];
  }
  for (size_t step = 0; step < trace.owners.size(); ++step) {
    if (trace.owners[step] < 0) continue;
    const int place = places[static_cast<size_t>(trace.owners[step])];
    operations[static_cast<size_t>(place)].steps.push_back(static_cast<int>(step));
  }
  return operations;
}

std::vector<BufferReport> Buffers(const cpu::Plan& plan) {
  std::vector<BufferReport> reports;
  for (const cpu::Life& life : cpu::ArenaLives(plan)) {
    const cpu::Buffer& buffer = plan.buffers[static_cast<size_t>(life.buffer)];
    reports.push_back({.offset = buffer.place * kFloatBytes,
                       .bytes = buffer.elements * kFloatBytes,
                       .first_step = life.first,
                       .last_step = life.last});
  }
  std::ranges::sort(reports, {}, &BufferReport::first_step);
  return reports;
}

int64_t MostAlive(const std::vector<BufferReport>& buffers, size_t steps) {
  int64_t most = 0;
  for (size_t step = 0; step < steps; ++step) {
    int64_t alive = 0;
    for (const BufferReport& buffer : buffers) {
      const int at = static_cast<int>(step);
      if (buffer.first_step <= at && at <= buffer.last_step) alive += buffer.bytes;
    }
    most = std::max(most, alive);
  }
  return most;
}

std::vector<std::string> Copies(const cpu::Plan& plan) {
  std::vector<std::string> copies;
  for (const cpu::Copy& copy : plan.copies) {
    const cpu::Buffer& of = plan.buffers[static_cast<size_t>(copy.buffer)];
    const bool constant = of.kind == cpu::BufferKind::kConstant;
    copies.push_back(fmt::format("copy of {}, {} bytes a call",
                                 constant ? "a constant" : "an input", copy.bytes));
  }
  return copies;
}

}  // namespace

std::string_view RuleName(CompileRule rule) { return kNames[static_cast<size_t>(rule)]; }
std::string_view RuleText(CompileRule rule) { return kTexts[static_cast<size_t>(rule)]; }
std::span<const CompileRule> AllRules() { return kRules; }

Result<CompileReport> ReportCompilation(const mil::Program& program,
                                        const mil::WeightStore& weights,
                                        const DeviceOptions& options) {
  if (Status status = CheckCpuPrecision(options.precision); !status) return status.error();
  if (Status status = mil::Verify(program); !status) return status.error();
  math::GemmEngine gemm;
  cpu::Trace trace;
  const auto plan =
      cpu::CompileFunction(program.main(), weights, Numerics(options.precision, options.ane_rules),
                           gemm, options.vector_weights, &trace);
  if (!plan) return plan.error();
  CompileReport report{.operations = Operations(program.main(), trace),
                       .buffers = Buffers(*plan),
                       .copies = Copies(*plan),
                       .arena_bytes = plan->arena_elements * kFloatBytes};
  for (size_t i = 0, first = 0; i < plan->steps.size(); ++i) {
    if (plan->together[i] > 0) first = i;
    const std::string at_once = first == i ? "" : fmt::format(", at once with step {}", first);
    report.steps.push_back({.text = plan->steps[i]->Describe() + at_once});
  }
  for (size_t i = 0; i < report.operations.size(); ++i) {
    for (int step : report.operations[i].steps) {
      report.steps[static_cast<size_t>(step)].operation = static_cast<int>(i);
    }
  }
  report.live_bytes = MostAlive(report.buffers, report.steps.size());
  for (const auto& constant : plan->constants) {
    report.constant_bytes += static_cast<int64_t>(constant.size()) * kFloatBytes;
  }
  return report;
}

Result<std::string> ExplainProgram(const mil::Program& program, const mil::WeightStore& weights,
                                   const DeviceOptions& options) {
  const auto report = ReportCompilation(program, weights, options);
  if (!report) return report.error();
  std::string text;
  for (const StepReport& step : report->steps) text += step.text + "\n";
  for (const std::string& copy : report->copies) text += copy + "\n";
  return text + fmt::format("arena {} bytes, constants {} bytes\n", report->arena_bytes,
                            report->constant_bytes);
}

}  // namespace millwright::device
