// The commands on the Neural Engine's emulator: benchmarks, and a run that outlives its process.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "checkpoint/test_folder.h"
#include "device/ane/test_emulator.h"
#include "telemetry/metrics_reader.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(AneBenchCommand, SaysInEveryLineThatItIsAnEmulators) {
  const device::ane::Emulator emulator("m5", "26.1");
  const checkpoint::TestFolder folder;
  const CommandResult result =
      RunCommand(TinyMha(), {"bench", "ane", "--ane-library", MILLWRIGHT_ANE_EMULATOR,
                             "--ane-compile-budget", "1000", "--seconds", "0.01", "--contributor",
                             "someone", "--json", folder.File("ane.json")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_THAT(line, StartsWith("emulator, no measure of an ANE: "));
  }
  EXPECT_GT(count, 15);
  EXPECT_THAT(result.out, HasSubstr("outputs exact"));

  const auto json =
      nlohmann::json::parse(checkpoint::ReadBytes(folder.File("ane.json")), nullptr, false);
  ASSERT_TRUE(json.is_object());
  ASSERT_EQ(json["training_results"].size(), 1u);
  const auto& entry = json["training_results"][0];
  EXPECT_EQ(entry["chip"], "Apple m5");
  EXPECT_EQ(entry["macos"], "26.1");
  EXPECT_EQ(entry["contributor"], "someone");
  EXPECT_THAT(entry["notes"].get<std::string>(), StartsWith("emulator"));
  for (const char* range : {"ms_per_step", "ane_ms", "compile_ms", "ane_tflops", "ane_util_pct"}) {
    ASSERT_EQ(entry[range].size(), 2u) << range;
    EXPECT_LE(entry[range][0], entry[range][1]) << range;
    EXPECT_GT(entry[range][1], 0.0) << range;
  }
  const auto& all = json["measurements"];
  EXPECT_EQ(all["emulated"], true);
  ASSERT_EQ(all["peak"].size(), 2u);
  for (const auto& peak : all["peak"]) EXPECT_EQ(peak["outputs_exact"], true) << peak;
  EXPECT_EQ(all["kernels"].size(), 10u);
  EXPECT_EQ(all["memory"].size(), 2u);
  EXPECT_GT(all["weight_recompile_ms"], 0.0);
}

// On a chip that computes wrongly nothing is reported as a rate.
TEST(AneBenchCommand, SaysWhatAChipCannotDo) {
  const device::ane::Emulator emulator("m1", "14.5");
  const CommandResult result =
      RunCommand(TinyMha(), {"bench", "ane", "--ane-library", MILLWRIGHT_ANE_EMULATOR,
                             "--ane-compile-budget", "1000", "--seconds", "0.01"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              HasSubstr("peak w8a8, 2 convolutions of 32 channels on 32x32, 0.0 MB: A12"));
}

TEST(AneBenchCommand, NeedsANeuralEngine) {
  const CommandResult result =
      RunCommand(TinyMha(), {"bench", "ane", "--ane-library", "/no/such/library"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("/no/such/library"));
}

struct ProgramResult {
  int exit_code = -1;
  std::string out, err;
};

// The program itself, which may start itself anew.
class AneRun : public ::testing::Test {
 protected:
  ProgramResult Train(const std::string& run, const std::string& flags) const {
    const std::string out = folder_.File(run + ".out"), err = folder_.File(run + ".err");
    const std::string command =
        fmt::format("OMP_WAIT_POLICY=PASSIVE '{}' train --out '{}' --threads 1 {} > '{}' 2> '{}'",
                    MILLWRIGHT_MICRO_BINARY, folder_.File(run), flags, out, err);
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): the test's own words
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, checkpoint::ReadBytes(out),
            checkpoint::ReadBytes(err)};
  }
  // Four updates on the embedded stories.
  ProgramResult TrainOnEmulator(const std::string& run, const std::string& flags) const {
    return Train(run,
                 "--scratch --seq 32 --steps 8 --accum 2 --lr 1e-2 --warmup 1 --val-windows 1 "
                 "--val-every 4 --device ane --ane-library '" MILLWRIGHT_ANE_EMULATOR "' " +
                     flags);
  }
  telemetry::Metrics Read(const std::string& run) const {
    auto metrics = telemetry::ReadMetrics(folder_.File(run + "/metrics.jsonl"));
    EXPECT_TRUE(metrics.ok()) << (metrics.ok() ? "" : metrics.error().message);
    return metrics.ok() ? *std::move(metrics) : telemetry::Metrics();
  }

  checkpoint::TestFolder folder_;
};

// Two layers with eight kernels that have weights: 16 programs an update, two for all. Room for the
// first weights and one update's.
TEST_F(AneRun, GoesOnInNewProcessesToTheSameBits) {
  const ProgramResult packed = TrainOnEmulator("packed", "--binding packed");
  ASSERT_EQ(packed.exit_code, 0) << packed.err;
  const ProgramResult constant =
      TrainOnEmulator("constant", "--binding constant --ane-compile-budget 40");
  ASSERT_EQ(constant.exit_code, 0) << constant.err;
  EXPECT_THAT(constant.err, HasSubstr("programs are compiled, and no more fit: going on in a new "
                                      "process"));
  const telemetry::Metrics expected = Read("packed"), found = Read("constant");
  ASSERT_EQ(expected.steps.size(), 8u);
  ASSERT_EQ(found.steps.size(), 8u);
  for (const auto& [step, event] : expected.steps) {
    EXPECT_EQ(found.steps.at(step).loss, event.loss) << step;
  }
  ASSERT_EQ(found.validations.size(), expected.validations.size());
  for (const auto& [step, event] : expected.validations) {
    EXPECT_EQ(found.validations.at(step).val_loss, event.val_loss) << step;
  }
  ASSERT_TRUE(found.end && found.end->costs && expected.end && expected.end->costs);
  EXPECT_GE(found.end->costs->processes, 3);
  EXPECT_EQ(found.end->costs->programs, found.end->costs->processes * 34 - 16);
  EXPECT_EQ(found.end->costs->steps, 8);
  EXPECT_EQ(found.end->costs->launches, 8 * 20);
  EXPECT_EQ(expected.end->costs->processes, 1);
  EXPECT_EQ(expected.end->costs->programs, 10);
  EXPECT_THAT(constant.out, HasSubstr("Recompiling:  16 programs an update"));
  EXPECT_THAT(packed.out, HasSubstr("Launches:     20 a step"));
}

}  // namespace
}  // namespace millwright::testing
