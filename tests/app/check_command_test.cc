// millwright check and bench, as commands.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "checkpoint/test_folder.h"
#include "device/ane/test_emulator.h"
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

// The ane device on the emulator: what the machine has, and the same suite.
TEST(CheckCommand, ReportsTheNeuralEngine) {
  const device::ane::Emulator emulator("m5", "26.1");
  for (const char* path : {"inmemory", "e5rt"}) {
    const CommandResult result =
        RunCommand(TinyMha(), {"check", "--device", "ane", "--ane-path", path, "--ane-library",
                               MILLWRIGHT_ANE_EMULATOR, "--ane-compile-budget", "100000"});
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("macOS 26.1\nchip Apple m5, architecture h17g"));
    EXPECT_THAT(result.out,
                HasSubstr("found   -[_ANEInMemoryModel compileWithQoS:options:error:]"));
    EXPECT_THAT(result.out, HasSubstr("applies B6"));
    EXPECT_THAT(result.out, HasSubstr("checks on device ane (ane), 0 findings"));
  }
}

TEST(CheckCommand, SaysInOneLineWhatIsMissing) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--device", "ane", "--ane-library", "/no/such/library"},
      {"--device", "ane", "--ane-path", "nowhere"},
      {"--device", "ane", "--precision", "fp32", "--ane-library", MILLWRIGHT_ANE_EMULATOR}};
  for (auto arguments : wrong) {
    arguments.insert(arguments.begin(), "check");
    const CommandResult result = RunCommand(TinyMha(), arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
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
    EXPECT_GT(step["next_step_ms_minimum"], 0.0);
    EXPECT_LE(step["next_step_ms_minimum"], step["next_step_ms_median"]);
    // Ten micro-steps and an update take longer than nine of them.
    EXPECT_GT(10 * step["tokens_per_s"].get<double>(),
              9 * step["tokens_per_s_with_updates"].get<double>());
  }
}

}  // namespace
}  // namespace millwright::testing
