#include "device/ane/constraints.h"

#include <array>

#include "device/ane/checks.h"

namespace millwright::device::ane {
namespace {

bool Always(const Target&) { return true; }
bool OnM1(const Target& target) { return target.generation() == 1; }
bool OnM1ToM2(const Target& target) { return target.generation() <= 2; }
bool OnM1ToM3(const Target& target) { return target.generation() <= 3; }
bool FromM4(const Target& target) { return target.generation() >= 4; }
bool WantsVerbose(const Target& target) { return NeedsVerboseDialect(target); }
bool BoundByHand(const Target& target) { return !target.managed; }
bool RejectsWidthReshapes(const Target& target) {
  return target.chip == Chip::kM3Ultra || target.chip == Chip::kM2Max;
}

constexpr std::array kConstraints = {
#define CONSTRAINT(id, Check, severity, Applies, chips, source, summary, way_out) \
  Constraint{id, Severity::severity, chips, source, summary, way_out, Applies, Check},
#include "device/ane/constraints.def"
#undef CONSTRAINT
};

}  // namespace

std::span<const Constraint> AllConstraints() { return kConstraints; }

std::vector<Issue> CheckConstraints(const mil::Program& program, const Target& target) {
  std::vector<Facts> functions;
  functions.reserve(program.functions.size());
  for (const mil::Function& function : program.functions) {
    functions.emplace_back(program, function, target);
  }
  std::vector<Issue> issues;
  for (const Constraint& row : kConstraints) {
    if (!row.applies(target)) continue;
    for (const Facts& facts : functions) {
      Findings findings(row, facts, &issues);
      row.check(facts, findings);
    }
  }
  return issues;
}

void FillCaps(const Target& target, Caps* caps) {
  const bool old = OnM1ToM3(target);
  caps->width_multiple = kPortWidthMultiple;
  caps->max_width = old ? kOldMaxWidth : kMaxAxis;
  caps->width_slices = !old;
  caps->narrow_factors = !old;
  caps->rotary_by_matrix = old;
  caps->split_inputs = RejectsWidthReshapes(target);
}

std::string ListConstraints(const Target* target) {
  std::string text;
  for (const Constraint& row : kConstraints) {
    if (target != nullptr && !row.applies(*target)) continue;
    text += fmt::format("{:<5}{:<8} {}\n             instead: {}\n             seen on: {}; {}\n",
                        row.id, row.severity == Severity::kError ? "error" : "warning", row.summary,
                        row.way_out, row.chips, row.source);
  }
  return text;
}

}  // namespace millwright::device::ane
