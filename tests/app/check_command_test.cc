// millwright check and bench, as commands.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "checkpoint/test_folder.h"
#include "kernels/kernel.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CheckCommand, EveryDevicePasses) {
  const std::vector<std::vector<std::string>> devices = {
      {"check"},
      {"check", "--device", "reference"},
      {"check", "--device", "reference", "--precision", "exact"},
      {"check", "--device", "reference", "--precision", "fp16"},
      {"check", "--device", "reference", "--precision", "ane"},
      {"check", "--precision", "ane"},
      {"check", "--device", "null"}};
  for (const auto& arguments : devices) {
    const CommandResult result = RunCommand(TinyMha(), arguments);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr(" 0 findings"));
    EXPECT_THAT(result.out, Not(HasSubstr("FINDING")));
    for (const kernels::KernelDef* kernel : kernels::AllKernels()) {
      EXPECT_THAT(result.out, HasSubstr(std::string(kernel->name)));
    }
  }
}

TEST(BenchCommand, WritesAllNumbersAsJson) {
  const checkpoint::TestFolder folder;
  const CommandResult result =
      RunCommand(TinyMha(), {"bench", "all", "--seconds", "0.01", "--vocab-rows", "7", "--full",
                             "--json", folder.File("bench.json")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("floor / time"));
  const auto json =
      nlohmann::json::parse(checkpoint::ReadBytes(folder.File("bench.json")), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_FALSE(json["gemm"]["products"].empty());
  EXPECT_GE(json["kernels"]["kernels"].size(), 9u);
  EXPECT_GT(json["generate"]["floor_ms"], 0.0);
  EXPECT_LE(json["generate"]["token_ms_minimum"], json["generate"]["token_ms_median"]);
  EXPECT_GT(json["generate"]["tokens"], 0);
  ASSERT_EQ(json["step"].size(), 2u);  // 7 rows, and all 23
  EXPECT_EQ(json["step"][0]["rows"], 7);
  EXPECT_EQ(json["step"][1]["rows"], 23);
  for (const auto& step : json["step"]) {
    EXPECT_GE(step["repetitions"], 3);
    EXPECT_GT(step["peak_gflops"], 0.0);
    EXPECT_LE(step["step_ms_minimum"], step["step_ms_median"]);
    EXPECT_LE(step["floor_percent_median"], step["floor_percent_minimum"]);
    EXPECT_GT(step["tokens_per_s"], step["tokens_per_s_with_updates"]);
  }
}

}  // namespace
}  // namespace millwright::testing
