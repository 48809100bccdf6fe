#include "base/ane_rules.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

namespace millwright {
namespace {

constexpr std::array kRules = {
#define ANE_RULE(Name, flag, on, facts, doc) AneRuleInfo{AneRule::k##Name, flag, on, facts, doc},
#include "base/ane_rules.def"
#undef ANE_RULE
};

constexpr std::string_view kOff = "no-";

Status Apply(std::string_view change, AneRules* rules) {
  if (change == "none") {
    *rules = AneRules::None();
    return {};
  }
  const bool on = !change.starts_with(kOff);
  const std::string_view name = on ? change : change.substr(kOff.size());
  const auto found = std::ranges::find(kRules, name, &AneRuleInfo::name);
  if (found == kRules.end()) {
    std::vector<std::string_view> names;
    for (const AneRuleInfo& rule : kRules) names.push_back(rule.name);
    return BadInput(
        "\"{}\" is no rule of the ANE's arithmetic; there are {}, each also with no- in "
        "front, and none",
        change, fmt::join(names, ", "));
  }
  rules->Set(found->rule, on);
  return {};
}

}  // namespace

std::span<const AneRuleInfo> AllAneRules() { return kRules; }

AneRules::AneRules() {
  for (const AneRuleInfo& rule : kRules) Set(rule.rule, rule.on);
}

AneRules AneRules::None() {
  AneRules rules;
  rules.bits_ = 0;
  return rules;
}

Result<AneRules> ParseAneRules(std::string_view text) {
  AneRules rules;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (Status status = Apply(text.substr(0, comma), &rules); !status) return status.error();
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return rules;
}

std::string ToString(const AneRules& rules) {
  std::vector<std::string> changes;
  for (const AneRuleInfo& rule : kRules) {
    const bool on = rules.Has(rule.rule);
    if (on != rule.on) changes.push_back(fmt::format("{}{}", on ? "" : kOff, rule.name));
  }
  return fmt::format("{}", fmt::join(changes, ","));
}

}  // namespace millwright
