#include "train/overlap.h"

#include <algorithm>
#include <string>

namespace millwright::train {
namespace {

// The roles of a host step that name buffers which it writes.
std::vector<const char*> WrittenRoles(StepKind kind) {
  switch (kind) {
    case StepKind::kRmsNorm:
      return {"y", "inv_rms"};
    case StepKind::kActClip:
      return {"x", "factor"};
    case StepKind::kActClipBackward:
      return {"dy"};
    case StepKind::kRmsNormBackward:
      return {"dx"};
    case StepKind::kSwigluBackward:
      return {"dh1", "dh3"};
    case StepKind::kRopeBackward:
    case StepKind::kQkNormBackward:
      return {"dq", "dk"};
    case StepKind::kResidual:
    case StepKind::kScaleByAlpha:
    case StepKind::kAdd:
      return {"y"};
    case StepKind::kAdapterGradient:
      return {"low_rank"};
    case StepKind::kKernel:
    case StepKind::kNormWeightGradient:
    case StepKind::kWeightGradient:
      break;
  }
  return {};
}

}  // namespace

std::vector<std::string> WrittenBuffers(const PlanStep& step, const kernels::KernelSpec& spec) {
  std::vector<std::string> names;
  if (step.kind == StepKind::kKernel) {
    for (const kernels::Operand& operand : kernels::Get(step.kernel).operands(spec).outputs) {
      names.push_back(step.buffers.at(operand.name));
    }
  }
  for (const char* role : WrittenRoles(step.kind)) names.push_back(step.buffers.at(role));
  return names;
}

bool RunsBeside(const PlanStep& step) {
  return step.kind == StepKind::kWeightGradient || step.kind == StepKind::kAdapterGradient ||
         step.kind == StepKind::kNormWeightGradient;
}

std::vector<int64_t> StepsToWaitFor(const std::vector<PlanStep>& steps,
                                    const kernels::KernelSpec& spec) {
  std::vector<int64_t> waits;
  std::map<std::string, int64_t> last_use;  // buffer -> how many were handed out with its last user
  int64_t handed_out = 0;
  for (const PlanStep& step : steps) {
    int64_t wait = 0;
    if (RunsBeside(step)) {
      ++handed_out;
      for (const auto& [role, buffer] : step.buffers) last_use[buffer] = handed_out;
    } else {
      for (const std::string& buffer : WrittenBuffers(step, spec)) {
        const auto use = last_use.find(buffer);
        if (use != last_use.end()) wait = std::max(wait, use->second);
      }
    }
    waits.push_back(wait);
  }
  return waits;
}

}  // namespace millwright::train
