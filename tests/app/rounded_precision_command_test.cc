// train --resume and eval in precisions that round the operands of products.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/slow_precision.h"
#include "base/tolerance.h"
#include "tests/app/tiny_run.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;

// With sides that are large enough to be rounded.
model::ModelConfig TinyWide() {
  model::ModelConfig config = TinyPlain();
  config.dim = 36, config.hidden_dim = 52, config.head_dim = 18, config.seq = 19;
  return config;
}

class RoundedPrecisionCommand : public ::testing::TestWithParam<Precision> {
 protected:
  void SetUp() override { WriteTinyShard(folder_.File("data.bin")); }

  CommandResult Train(const std::string& run, std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"train", "--out", folder_.File(run)});
    return RunCommand(TinyWide(), std::move(flags));
  }
  std::vector<std::string> Fresh(const std::string& device, const std::string& steps) const {
    return {"--scratch", "--data",      folder_.File("data.bin"),
            "--accum",   "2",           "--steps",
            steps,       "--device",    device,
            "--lr",      "1e-2",        "--warmup",
            "1",         "--precision", Name()};
  }
  static std::string Name() { return std::string(PrecisionName(GetParam())); }

  // What `eval` prints of the run's model, in `precision`.
  CommandResult Eval(const std::string& run, const std::string& precision) const {
    return RunCommand(TinyWide(), {"eval", "--from", folder_.File(run), "--data",
                                   folder_.File("data.bin"), "--precision", precision});
  }
  static double Loss(const CommandResult& evaluated) {
    EXPECT_EQ(evaluated.exit_code, 0) << evaluated.err;
    double loss = 0;
    EXPECT_EQ(std::sscanf(evaluated.out.c_str(), "loss=%lf", &loss), 1) << evaluated.out;
    return loss;
  }

  checkpoint::TestFolder folder_;
};

TEST_P(RoundedPrecisionCommand, TrainsResumesAndEvaluates) {
  const CommandResult whole = Train("whole", Fresh("cpu", "6"));
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const std::string note = app::SlowPrecisionNote(GetParam(), {});
  EXPECT_EQ(whole.err.find("fp32 is faster here") != std::string::npos, !note.empty());
  EXPECT_THAT(whole.err, HasSubstr(note));
  const auto run = nlohmann::json::parse(checkpoint::ReadBytes(folder_.File("whole/run.json")));
  EXPECT_EQ(run["settings"]["precision"], Name());

  // Its precision is the state's.
  const CommandResult other = Train("whole", {"--resume", "--steps", "8", "--precision", "fp32"});
  EXPECT_EQ(other.exit_code, 2) << other.err;
  EXPECT_THAT(other.err, HasSubstr("precision"));
  const CommandResult resumed = Train("whole", {"--resume", "--steps", "8"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;

  const double rounded = Loss(Eval("whole", Name())), fp32 = Loss(Eval("whole", "fp32"));
  // No operand is moved by more than this share of the largest, and a mean over all by less.
  EXPECT_NEAR(rounded, fp32, Int8Step(1) * fp32);
}

TEST_P(RoundedPrecisionCommand, OthersThanTheCpuRefuseItAndWriteNothing) {
  const CommandResult result = Train("refused", Fresh("reference", "2"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--precision " + Name() + ": only the cpu device has it"));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_FALSE(std::filesystem::exists(folder_.File("refused")));
}

INSTANTIATE_TEST_SUITE_P(All, RoundedPrecisionCommand,
                         ::testing::Values(Precision::kInt8, Precision::kBf16),
                         [](const auto& test) { return std::string(PrecisionName(test.param)); });

}  // namespace
}  // namespace millwright::testing
