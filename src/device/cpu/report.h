// What the compiler made of a program: which step computes which operation, by which rules, and
// where its buffers lie.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::device {

// One thing that the compiler did with an operation; rules.def lists them.
enum class CompileRule : uint8_t {
#define RULE(name, text) k##name,
#include "device/cpu/rules.def"
#undef RULE
};

// "FuseElementwise", and the sentence for people.
std::string_view RuleName(CompileRule rule);
std::string_view RuleText(CompileRule rule);
std::span<const CompileRule> AllRules();

struct StepReport {
  std::string text;    // what is done, by which implementation, on which shape
  int operation = -1;  // whose step it is; -1 for moves between surfaces and buffers
};

struct OperationReport {
  std::string op, id;      // "matmul", the first result's identifier
  int root = -1;           // the operation whose steps compute it: itself, or that of its group
  std::vector<int> steps;  // of its own; empty for views, constants and members of a group
  std::vector<CompileRule> rules;
};

// A part of the memory that all programs of a device share.
struct BufferReport {
  int64_t offset = 0, bytes = 0;
  int first_step = 0, last_step = 0;  // that read or write it
};

struct CompileReport {
  std::vector<OperationReport> operations;  // in program order, without constants
  std::vector<StepReport> steps;
  std::vector<BufferReport> buffers;
  std::vector<std::string> copies;  // of inputs and constants, kept by a call
  int64_t arena_bytes = 0;          // what the buffers take together
  int64_t live_bytes = 0;           // the most that is alive at one step: no plan takes less
  int64_t constant_bytes = 0;
};

// Compiles the first function of `program` as the cpu device would, and reports. Errors are those
// of OpenCpuDevice and Compile.
Result<CompileReport> ReportCompilation(const mil::Program& program,
                                        const mil::WeightStore& weights,
                                        const DeviceOptions& options);

}  // namespace millwright::device
