#include "base/ane_rules.h"

#include <gtest/gtest.h>

namespace millwright {
namespace {

TEST(AneRulesTest, DefaultsAreThoseOfTheTable) {
  const AneRules rules;
  for (const AneRuleInfo& info : AllAneRules())
    EXPECT_EQ(rules.Has(info.rule), info.on) << info.name;
  EXPECT_FALSE(rules.Has(AneRule::kSliceClamp));
  EXPECT_TRUE(rules.Has(AneRule::kVanish));
  for (const AneRuleInfo& info : AllAneRules()) EXPECT_FALSE(AneRules::None().Has(info.rule));
}

TEST(AneRulesTest, ReadsChangesInOrder) {
  const auto rules = ParseAneRules("no-tables,slice-clamp");
  ASSERT_TRUE(rules.ok());
  EXPECT_FALSE(rules->Has(AneRule::kTables));
  EXPECT_TRUE(rules->Has(AneRule::kSliceClamp));
  EXPECT_TRUE(rules->Has(AneRule::kVanish));
  const auto only = ParseAneRules("none,vanish");
  ASSERT_TRUE(only.ok());
  EXPECT_EQ(*only, AneRules::None().Set(AneRule::kVanish, true));
}

TEST(AneRulesTest, WritesWhatItReads) {
  EXPECT_EQ(ToString(AneRules()), "");
  EXPECT_EQ(ToString(*ParseAneRules("slice-clamp,no-tables")), "no-tables,slice-clamp");
  for (const AneRuleInfo& info : AllAneRules()) {
    const AneRules changed = AneRules().Set(info.rule, !info.on);
    const auto read = ParseAneRules(ToString(changed));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, changed);
  }
}

TEST(AneRulesTest, RefusesUnknownNames) {
  const auto rules = ParseAneRules("no-tables,tabels");
  ASSERT_FALSE(rules.ok());
  EXPECT_NE(rules.error().message.find("\"tabels\""), std::string::npos) << rules.error().message;
  EXPECT_NE(rules.error().message.find("small-arguments"), std::string::npos);
}

}  // namespace
}  // namespace millwright
