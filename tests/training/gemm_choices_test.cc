// The table of GEMM choices as JSON, and in a training state.
#include "train/gemm_choices.h"

#include <gmock/gmock.h>

#include "tests/training/trainer_run.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;

math::GemmTable SomeTable() {
  math::GemmTable table;
  table.Set({.m = 768, .n = 256, .k = 2048}, math::GemmKind::kLibrarySgemm);
  table.Set({.m = 768, .n = 256, .k = 2048, .transpose_a = true}, math::GemmKind::kLibraryMatmul);
  table.Set({.m = 768, .n = 2048, .k = 256, .transpose_b = true}, math::GemmKind::kHighway);
  return table;
}

TEST(GemmChoices, AreThereAndBack) {
  const nlohmann::json list = train::ToJson(SomeTable());
  EXPECT_EQ(list.size(), 3u);
  const auto back = train::GemmTableFromJson(nlohmann::json::parse(list.dump()));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, SomeTable());
}

TEST(GemmChoices, OfAStateThatHasNoneAreNone) {
  const auto table = train::GemmTableFromMeta({{"gemm_table", "abacus 1.0"}});
  ASSERT_TRUE(table.ok());
  EXPECT_TRUE(table->choices().empty());
}

TEST(GemmChoices, DamageIsNamed) {
  const auto damaged = [](const char* key, const nlohmann::json& value) {
    nlohmann::json list = train::ToJson(SomeTable());
    list[1][key] = value;
    return list;
  };
  const std::pair<nlohmann::json, const char*> cases[] = {
      {nlohmann::json::object(), "expected a list, found object"},
      {nlohmann::json::array({1}), "entry 0: expected an object, found 1"},
      {damaged("m", nullptr), "entry 1: m: expected a whole number above 0, found null"},
      {damaged("n", 0), "entry 1: n: expected a whole number above 0, found 0"},
      {damaged("k", 2.5), "entry 1: k: expected a whole number above 0, found 2.5"},
      {damaged("transpose_a", 1), "entry 1: transpose_a: expected true or false, found 1"},
      {damaged("kind", "abacus"), "entry 1: kind: expected one of sgemm, matmul, highway"}};
  for (const auto& [list, message] : cases) {
    const auto table = train::GemmTableFromJson(list);
    ASSERT_FALSE(table.ok()) << message;
    EXPECT_EQ(table.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(table.error().message, HasSubstr(message));
  }
  nlohmann::json twice = train::ToJson(SomeTable());
  twice.push_back(twice[0]);
  EXPECT_THAT(train::GemmTableFromJson(twice).error().message,
              HasSubstr("entry 3: the product is"));
}

// The choices are those of every product of the run: the device's and the host's.
TEST(GemmChoices, ComeBackWithTheState) {
  TrainerRun run("cpu");
  run.gemm_table = std::make_shared<math::GemmTable>(SomeTable());
  EventLog log;
  RunToEnd(*run.Fresh(), log);
  const auto saved = train::GemmTableFromMeta(run.Latest().meta());
  ASSERT_TRUE(saved.ok()) << saved.error().message;
  EXPECT_EQ(*saved, SomeTable());
  run.gemm_table = std::make_shared<math::GemmTable>(*saved);
  run.options.steps = 24;
  EXPECT_EQ(run.Resumed()->network().gemm().table(), SomeTable());
}

}  // namespace
}  // namespace millwright::testing
