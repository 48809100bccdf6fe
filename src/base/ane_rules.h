// Which rules of the ANE's arithmetic Precision::kAne follows. Each can be switched, because some
// are one laboratory's measurement, or hold for some chips only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright {

enum class AneRule : uint8_t {
#define ANE_RULE(Name, flag, on, facts, doc) k##Name,
#include "base/ane_rules.def"
#undef ANE_RULE
};

struct AneRuleInfo {
  AneRule rule;
  std::string_view name;   // as in --ane-rules
  bool on;                 // by default
  std::string_view facts;  // ids of docs/ane.md
  std::string_view doc;
};

std::span<const AneRuleInfo> AllAneRules();

// A set of rules; the default one holds those that are on by default.
class AneRules {
 public:
  AneRules();
  static AneRules None();

  bool Has(AneRule rule) const { return (bits_ & Bit(rule)) != 0; }
  AneRules& Set(AneRule rule, bool on) {
    bits_ = static_cast<uint32_t>(on ? bits_ | Bit(rule) : bits_ & ~Bit(rule));
    return *this;
  }
  bool operator==(const AneRules&) const = default;

 private:
  static constexpr uint32_t Bit(AneRule rule) { return uint32_t{1} << static_cast<int>(rule); }
  uint32_t bits_ = 0;
};

// Changes of the default set, in order: "no-tables,slice-clamp"; "none" switches everything off.
// The empty text is the default set. Bad input lists the names.
Result<AneRules> ParseAneRules(std::string_view text);

// What ParseAneRules reads back: the differences from the default set.
std::string ToString(const AneRules& rules);

}  // namespace millwright
