// What millwright train prints and writes.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "checkpoint/hf_folder.h"
#include "telemetry/metrics_reader.h"
#include "tests/app/tiny_run.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;

// The first match's groups; empty if there is none.
std::vector<std::string> Search(const std::string& text, const std::string& pattern) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(pattern))) return {};
  return {match.begin() + 1, match.end()};
}

int Matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  return static_cast<int>(
      std::distance(std::sregex_iterator(text.begin(), text.end(), regex), std::sregex_iterator()));
}

// The patterns by which the dashboard of the field's reference reads a run, letter by letter.
constexpr const char* kStep =
    R"(step\s+(\d+)\s+loss=([\d.]+)(?:\s+lr=([\d.e+-]+))?(?:\s+([\d.]+)ms/step)?)";
constexpr const char* kTiming =
    R"(ane_fwd=([\d.]+) io_fwd=([\d.]+) rms=([\d.]+) ane_bwd=([\d.]+) io_bwd=([\d.]+) silu=([\d.]+) rms_bwd=([\d.]+) cls=([\d.]+) cblas_wait=([\d.]+) dw_copy=([\d.]+))";

class TrainCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteTinyShard(folder_.File("data.bin"));
    first_ = Train({"--scratch", "--steps", "25", "--accum", "2", "--lr", "1e-2", "--save-every",
                    "10", "--data", folder_.File("data.bin"), "--device", "reference"});
    ASSERT_EQ(first_.exit_code, 0) << first_.err;
  }

  CommandResult Train(std::vector<std::string> flags, const std::string& run = "run") const {
    flags.insert(flags.begin(), {"train", "--out", folder_.File(run)});
    return RunCommand(TinyPlain(), std::move(flags));
  }

  std::vector<std::string> MetricLines() const {
    std::istringstream text(checkpoint::ReadBytes(folder_.File("run/metrics.jsonl")));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  checkpoint::TestFolder folder_;
  CommandResult first_;
};

TEST_F(TrainCommand, PrintsTheLinesThatDashboardsRead) {
  const std::string& out = first_.out;
  EXPECT_EQ(Search(out, R"(ANE Dynamic Training: (.+?) \((\d+) layers)"),
            (std::vector<std::string>{"Tiny plain", "2"}));
  EXPECT_EQ(Search(out, R"(dim=(\d+) q_dim=(\d+) kv_dim=(\d+) hd=(\d+) hidden=(\d+) seq=(\d+) )"
                        R"(vocab=(\d+))"),
            (std::vector<std::string>{"16", "16", "8", "4", "20", "6", "23"}));
  EXPECT_EQ(Search(out, R"(Params: ([\d.]+)M \(transformer ([\d.]+)M \+ embed ([\d.]+)M\))").size(),
            3u);
  EXPECT_EQ(Search(out, R"(Kernels: (\d+) compiled, (\d+) weight-bearing)"),
            (std::vector<std::string>{"10", "8"}));
  EXPECT_EQ(Search(out, R"(Accum (\d+).*LR=([\d.e+-]+))"), (std::vector<std::string>{"2", "0.01"}));
  const auto flops = Search(out, R"(FLOPs/step: fwd=([\d.]+)M bwd_dx=([\d.]+)M bwd_dW=([\d.]+)M )"
                                 R"(sdpa_bwd=([\d.]+)M total=([\d.]+)M)");
  ASSERT_EQ(flops.size(), 5u);
  EXPECT_EQ(Search(out, R"(ANE FLOPs/step: ([\d.]+)M)").size(), 1u);
  EXPECT_EQ(Search(out, R"(Compiled (\d+) kernels in (\d+)ms)").at(0), "10");
  EXPECT_GE(Matches(out, R"(\[ckpt saved, best_loss=([\d.]+)\])"), 3);
  for (const char* line : {"Total steps", "Wall time", "Compile", "Train time"}) {
    EXPECT_EQ(Search(out, std::string("(") + line + R"():?\s+(.+))").size(), 2u) << line;
  }
  EXPECT_EQ(Search(out, R"(Total steps:\s+(\d+))").at(0), "25");
}

// Every tenth micro-step, counted from 0 as the reference does, with its timing.
TEST_F(TrainCommand, PrintsStepsAndTimings) {
  EXPECT_EQ(Matches(first_.out, kStep), 3);
  EXPECT_EQ(Matches(first_.out, kTiming), 3);
  const auto metrics = telemetry::ReadMetrics(folder_.File("run/metrics.jsonl"));
  ASSERT_TRUE(metrics.ok()) << metrics.error().message;
  const std::regex regex(kStep);
  int64_t expected = 0;
  for (std::sregex_iterator it(first_.out.begin(), first_.out.end(), regex), end; it != end; ++it) {
    const std::smatch& match = *it;
    EXPECT_EQ(match[1].str(), std::to_string(expected));
    const telemetry::StepEvent& step = metrics->steps.at(expected + 1);
    EXPECT_EQ(match[2].str(), fmt::format("{:.4f}", step.loss));
    EXPECT_EQ(match[3].str(), fmt::format("{:.2e}", step.lr));
    EXPECT_EQ(match[4].str(), fmt::format("{:.1f}", step.ms));
    expected += 10;
  }
}

TEST_F(TrainCommand, SaysWhereItResumes) {
  const CommandResult result = Train({"--resume", "--steps", "30"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto resumed = Search(result.out, R"(\[RESUMED step (\d+), loss=([\d.]+)\])");
  ASSERT_EQ(resumed.size(), 2u);
  EXPECT_EQ(resumed[0], "25");
  const auto metrics = telemetry::ReadMetrics(folder_.File("run/metrics.jsonl"));
  ASSERT_TRUE(metrics.ok());
  EXPECT_EQ(resumed[1], fmt::format("{:.4f}", metrics->steps.at(25).loss));
  EXPECT_EQ(metrics->steps.size(), 30u);
}

TEST_F(TrainCommand, WritesOneStepLineForEveryMicroStep) {
  int64_t steps = 0, updates = 0, configs = 0, checkpoints = 0;
  std::string last;
  for (const std::string& line : MetricLines()) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(json.is_object()) << line;
    last = json.value("type", "");
    EXPECT_EQ(json.contains("step") && json.contains("loss"), last == "step") << line;
    updates += last == "update";
    configs += last == "config";
    checkpoints += last == "checkpoint";
    if (last != "step") continue;
    EXPECT_EQ(json["step"], ++steps);
    // The decimal reads back to a float, and to that float's own shortest decimal.
    const double loss = json["loss"].get<double>();
    const auto rounded = static_cast<float>(loss);
    EXPECT_THAT(line, HasSubstr(fmt::format("\"loss\":{}", rounded)));
    EXPECT_EQ(std::strtof(fmt::format("{}", rounded).c_str(), nullptr), rounded);
    for (const char* key : {"lr", "ms", "tokens_per_s"}) EXPECT_TRUE(json[key].is_number()) << key;
  }
  EXPECT_EQ(steps, 25);
  EXPECT_EQ(updates, 13);  // the last one of a single micro-step
  EXPECT_EQ(configs, 1);
  EXPECT_EQ(checkpoints, 3);
  EXPECT_EQ(last, "end");
}

TEST_F(TrainCommand, ConfigSaysWhatRunJsonSays) {
  const auto config = nlohmann::json::parse(MetricLines().at(0));
  const auto run = nlohmann::json::parse(checkpoint::ReadBytes(folder_.File("run/run.json")));
  EXPECT_EQ(config["settings"], run);
  EXPECT_EQ(run["settings"]["lr"], 0.01);
  EXPECT_EQ(run["data_tokens"], 200);
  EXPECT_EQ(run["data_hash"].get<std::string>().size(), 16u);
  EXPECT_GT(run["active_words"], 0);
}

TEST_F(TrainCommand, WhatItWritesIsAModel) {
  const auto model = checkpoint::HfFolder::Open(folder_.File("run/model"));
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->config().dim, TinyPlain().dim);
}

// A run that starts from another keeps its tokenizer, also when it goes on later.
TEST_F(TrainCommand, StartsFromARunAndKeepsItsTokenizer) {
  model::ModelConfig config = TinyPlain();
  config.vocab = 300;
  const auto train = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), "train");
    return RunCommand(config, std::move(flags));
  };
  const std::string stories = folder_.File("stories"), tuned = folder_.File("tuned");
  auto result = train({"--scratch", "--steps", "2", "--accum", "1", "--device", "reference",
                       "--val-windows", "1", "--out", stories});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  result = train({"--from", stories, "--data", folder_.File("data.bin"), "--steps", "2", "--accum",
                  "1", "--device", "reference", "--out", tuned});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  result = train({"--resume", "--out", tuned, "--steps", "4"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(checkpoint::ReadBytes(tuned + "/model/tokenizer.json"),
            checkpoint::ReadBytes(stories + "/model/tokenizer.json"));
  const auto from = checkpoint::HfFolder::Open(stories + "/model");
  const auto to = checkpoint::HfFolder::Open(tuned + "/model");
  ASSERT_TRUE(from.ok() && to.ok());
  EXPECT_TRUE(from->tokens().bos.has_value());
  EXPECT_EQ(to->tokens(), from->tokens());
  // Starting over from a run in its own folder is allowed, and loses nothing.
  result = train({"--from", tuned, "--overwrite", "--data", folder_.File("data.bin"), "--steps",
                  "2", "--accum", "1", "--device", "reference", "--out", tuned});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(checkpoint::ReadBytes(tuned + "/model/tokenizer.json"),
            checkpoint::ReadBytes(stories + "/model/tokenizer.json"));
}

}  // namespace
}  // namespace millwright::testing
