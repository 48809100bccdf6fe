#include "train/freeze.h"

#include <fnmatch.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace millwright::train {
namespace {

// The prefix that all names but the classifier's have may be left out.
bool Matches(const std::string& pattern, const std::string& name) {
  constexpr std::string_view kPrefix = "model.";
  if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) return true;
  return name.starts_with(kPrefix) &&
         ::fnmatch(pattern.c_str(), name.c_str() + kPrefix.size(), 0) == 0;
}

}  // namespace

bool IsFrozen(std::span<const std::string> patterns, const model::TensorSpec& spec) {
  if (spec.part != model::LoraPart::kNone) return false;
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return Matches(pattern, spec.name); });
}

Status CheckFreeze(std::span<const std::string> patterns, const model::ModelConfig& config) {
  const std::vector<model::TensorSpec> table = model::TensorTable(config);
  for (const std::string& pattern : patterns) {
    const bool found = std::any_of(table.begin(), table.end(),
                                   [&](const auto& spec) { return Matches(pattern, spec.name); });
    if (found) continue;
    return BadInput("--freeze '{}': matches no tensor; their names go from {} to {}", pattern,
                    table.front().name, table.back().name);
  }
  const bool left = std::any_of(table.begin(), table.end(),
                                [&](const auto& spec) { return !IsFrozen(patterns, spec); });
  if (left) return {};
  return BadInput("--freeze: the patterns match every tensor; nothing is left to train");
}

}  // namespace millwright::train
