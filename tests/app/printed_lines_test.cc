// The printed lines of real runs against every pattern of the reference's dashboard.
#include <gmock/gmock.h>

#include <map>
#include <regex>
#include <sstream>

#include "telemetry/power_meter.h"
#include "tests/app/tiny_run.h"
#include "tests/shared_folder.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;

// Letter by letter, in the order of ../shared/reference.md, section 1.9a.
struct Pattern {
  const char* name;
  const char* text;
};
constexpr Pattern kPatterns[] = {
    {"RE_CONFIG", R"(dim=(\d+) hidden=(\d+) heads=(\d+) seq=(\d+) vocab=(\d+) layers=(\d+))"},
    {"RE_CONFIG_GQA",
     R"(dim=(\d+) q_dim=(\d+) kv_dim=(\d+) hd=(\d+) hidden=(\d+) seq=(\d+) vocab=(\d+))"},
    {"RE_MODEL_NAME", R"(ANE Dynamic Training: (.+?) \((\d+) layers)"},
    {"RE_PARAMS", R"(Params: ([\d.]+)M \(transformer ([\d.]+)M \+ embed ([\d.]+)M\))"},
    {"RE_KERNELS", R"(Kernels: (\d+).*?(\d+) weight-bearing)"},
    {"RE_KERNELS_DYN", R"(Kernels: (\d+) compiled, (\d+) weight-bearing)"},
    {"RE_ACCUM", R"(Accum (\d+).*LR=([\d.e+-]+))"},
    {"RE_STEP", R"(step\s+(\d+)\s+loss=([\d.]+)(?:\s+lr=([\d.e+-]+))?(?:\s+([\d.]+)ms/step)?)"},
    {"RE_BATCH",
     R"(\[batch (\d+): compile=([\d.]+)ms train=([\d.]+)ms \(([\d.]+)ms/step\) compiles=(\d+)\])"},
    {"RE_TIMING",
     R"(ane=([\d.]+) io=([\d.]+) cls=([\d.]+) elem=([\d.]+) rms=([\d.]+) cblas_wait=([\d.]+))"},
    {"RE_TIMING_DYN",
     R"(ane_fwd=([\d.]+) io_fwd=([\d.]+) rms=([\d.]+) ane_bwd=([\d.]+) io_bwd=([\d.]+) silu=([\d.]+) rms_bwd=([\d.]+) cls=([\d.]+) cblas_wait=([\d.]+) dw_copy=([\d.]+))"},
    {"RE_RESTART", R"(\[exec\(\) restart step (\d+))"},
    {"RE_RESUME", R"(\[RESUMED step (\d+), loss=([\d.]+)\])"},
    {"RE_FLOPS",
     R"(FLOPs/step: fwd=([\d.]+)M bwd_dx=([\d.]+)M bwd_dW=([\d.]+)M sdpa_bwd=([\d.]+)M total=([\d.]+)M)"},
    {"RE_ANE_FLOPS", R"(ANE FLOPs/step: ([\d.]+)M)"},
    {"RE_ANE_TFLOPS", R"(ANE TFLOPS:\s+([\d.]+))"},
    {"RE_ANE_UTIL", R"(ANE utilization:\s+([\d.]+)%)"},
    {"RE_EFFICIENCY",
     R"((Total steps|Wall time|Compile time|Compile|Train time|Avg compile|Avg train|ANE TFLOPS|Total TFLOPS|ANE utilization):?\s+(.+))"},
    {"RE_COMPILED", R"(Compiled (\d+) kernels in (\d+)ms)"},
    {"RE_CKPT_SAVED", R"(\[ckpt saved, best_loss=([\d.]+)\])"},
    {"RE_ANE_POWER", R"(ANE Power:\s+([\d.]+)\s*mW)"},
    {"RE_CPU_POWER", R"(CPU Power:\s+([\d.]+)\s*mW)"},
    {"RE_GPU_POWER", R"(GPU Power:\s+([\d.]+)\s*mW)"},
};

// The groups of every match, line by line as the dashboard searches.
std::vector<std::vector<std::string>> MatchesOf(const std::string& text, const std::string& name) {
  const auto* pattern = std::ranges::find(kPatterns, name, &Pattern::name);
  const std::regex regex(pattern->text);
  std::vector<std::vector<std::string>> all;
  std::istringstream lines(text);
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, match, regex)) all.emplace_back(match.begin() + 1, match.end());
  }
  return all;
}

using Groups = std::vector<std::string>;

// A run of 25 micro-steps that saves every 10, then resumed to 30.
class PrintedLines : public ::testing::Test {
 protected:
  std::string Run(const std::string& binding) const {
    WriteTinyShard(folder_.File("data.bin"));
    const auto train = [&](std::vector<std::string> flags) {
      flags.insert(flags.begin(), {"train", "--out", folder_.File("run")});
      const CommandResult result = RunCommand(TinyPlain(), std::move(flags));
      EXPECT_EQ(result.exit_code, 0) << result.err;
      return result.out;
    };
    std::string out =
        train({"--scratch", "--steps", "25", "--accum", "5", "--lr", "1e-2", "--save-every", "10",
               "--data", folder_.File("data.bin"), "--device", "reference", "--binding", binding});
    return out + train({"--resume", "--steps", "30"});
  }
  checkpoint::TestFolder folder_;
};

TEST_F(PrintedLines, ThePatternsAreThoseOfTheReference) {
  const auto shared = SharedFolder();
  if (!shared || !std::filesystem::exists(*shared / "reference.md")) {
    GTEST_SKIP() << "no ../shared/reference.md";
  }
  const std::string text = checkpoint::ReadBytes((*shared / "reference.md").string());
  for (const Pattern& pattern : kPatterns) {
    const std::string padded = fmt::format("\n{:<17}{}\n", pattern.name, pattern.text);
    EXPECT_THAT(text, HasSubstr(padded));
  }
}

TEST_F(PrintedLines, OfADynamicRun) {
  const std::string out = Run("separate");
  std::map<std::string, size_t> counts;
  for (const Pattern& pattern : kPatterns)
    counts[pattern.name] = MatchesOf(out, pattern.name).size();
  // Two starts; steps 0, 10 and 20, then none; states 10, 20, 25 and 30.
  const std::map<std::string, size_t> expected = {
      {"RE_CONFIG", 2},    {"RE_CONFIG_GQA", 2},  {"RE_MODEL_NAME", 2}, {"RE_PARAMS", 2},
      {"RE_KERNELS", 2},   {"RE_KERNELS_DYN", 2}, {"RE_ACCUM", 2},      {"RE_STEP", 3},
      {"RE_BATCH", 0},     {"RE_TIMING", 0},      {"RE_TIMING_DYN", 3}, {"RE_RESTART", 0},
      {"RE_RESUME", 1},    {"RE_FLOPS", 2},       {"RE_ANE_FLOPS", 2},  {"RE_ANE_TFLOPS", 2},
      {"RE_ANE_UTIL", 2},  {"RE_EFFICIENCY", 16}, {"RE_COMPILED", 2},   {"RE_CKPT_SAVED", 4},
      {"RE_ANE_POWER", 0}, {"RE_CPU_POWER", 0},   {"RE_GPU_POWER", 0}};
  EXPECT_EQ(counts, expected) << out;
  EXPECT_EQ(MatchesOf(out, "RE_CONFIG").at(0), (Groups{"16", "20", "4", "6", "23", "2"}));
  EXPECT_EQ(MatchesOf(out, "RE_CONFIG_GQA").at(0), (Groups{"16", "16", "8", "4", "20", "6", "23"}));
  EXPECT_EQ(MatchesOf(out, "RE_MODEL_NAME").at(0), (Groups{"Tiny plain", "2"}));
  EXPECT_EQ(MatchesOf(out, "RE_ACCUM").at(0), (Groups{"5", "0.01"}));
  EXPECT_EQ(MatchesOf(out, "RE_RESUME").at(0).at(0), "25");
  // Every word of the report, each with what the dashboard shows beside it.
  std::map<std::string, std::string> report;
  for (const Groups& line : MatchesOf(out, "RE_EFFICIENCY")) report[line.at(0)] = line.at(1);
  for (const char* name : {"Total steps", "Wall time", "Compile", "Train time", "Avg train",
                           "ANE TFLOPS", "Total TFLOPS", "ANE utilization"}) {
    EXPECT_TRUE(report.contains(name)) << name;
  }
  EXPECT_EQ(report["Total steps"], "30");
  EXPECT_EQ(report["ANE TFLOPS"], "0.00 sustained");  // the reference device is none
}

// The static pipeline compiles anew after every update, and prints a batch for each.
TEST_F(PrintedLines, OfAStaticRun) {
  const std::string out = Run("constant");
  const auto batches = MatchesOf(out, "RE_BATCH");
  EXPECT_EQ(batches.size(), 6u);
  EXPECT_EQ(MatchesOf(out, "RE_TIMING").size(), 6u);
  EXPECT_EQ(batches.at(0).at(0), "5");
  const double train = std::stod(batches[0][2]), each = std::stod(batches[0][3]);
  EXPECT_NEAR(each, train / 5, 0.11);
  EXPECT_GT(std::stoi(batches.at(1).at(4)), std::stoi(batches.at(0).at(4)));
}

// These lines are powermetrics' own, which the dashboard starts by itself. We read the same ones.
TEST_F(PrintedLines, PowerIsReadByTheSamePatterns) {
  const std::string line = "ANE Power: 120 mW\nCPU Power: 2500 mW\nGPU Power: 40 mW\n";
  const auto watts = telemetry::ParsePowermetrics(line);
  EXPECT_EQ(std::stod(MatchesOf(line, "RE_ANE_POWER").at(0).at(0)) / 1000, watts.at("ane"));
  EXPECT_EQ(std::stod(MatchesOf(line, "RE_CPU_POWER").at(0).at(0)) / 1000, watts.at("cpu"));
  EXPECT_EQ(std::stod(MatchesOf(line, "RE_GPU_POWER").at(0).at(0)) / 1000, watts.at("gpu"));
}

}  // namespace
}  // namespace millwright::testing
