// What a run tells of itself, and that telling changes nothing.
#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "telemetry/metrics_reader.h"
#include "telemetry/record_file.h"
#include "telemetry/surroundings.h"
#include "tests/app/tiny_run.h"
#include "tests/python_judge.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

// Words enough for a tokenizer of the embedded stories.
model::ModelConfig TinyStories() {
  model::ModelConfig config = TinyPlain();
  config.vocab = 300;
  config.seq = 32;
  return config;
}

class WatchedRun : public ::testing::Test {
 protected:
  CommandResult Train(std::vector<std::string> flags, const std::string& run = "run") const {
    flags.insert(flags.begin(), {"train", "--out", folder_.File(run)});
    return RunCommand(TinyStories(), std::move(flags));
  }
  // Eight micro-steps on the embedded stories, four updates.
  CommandResult Scratch(std::vector<std::string> more, const std::string& run = "run") const {
    std::vector<std::string> flags = {"--scratch", "--steps",  "8",         "--accum",
                                      "2",         "--device", "reference", "--val-windows",
                                      "1",         "--lr",     "1e-2"};
    flags.insert(flags.end(), more.begin(), more.end());
    return Train(flags, run);
  }
  telemetry::Metrics Read(const std::string& run = "run") const {
    auto metrics = telemetry::ReadMetrics(folder_.File(run + "/metrics.jsonl"));
    EXPECT_TRUE(metrics.ok()) << (metrics.ok() ? "" : metrics.error().message);
    return *std::move(metrics);
  }
  std::string Page(const std::string& run = "run") const {
    return checkpoint::ReadBytes(folder_.File(run + "/report.html"));
  }

  checkpoint::TestFolder folder_;
};

TEST_F(WatchedRun, SaysWhoItIs) {
  ASSERT_EQ(Scratch({}).exit_code, 0);
  telemetry::Metrics metrics = Read();
  ASSERT_TRUE(metrics.config && metrics.end);
  EXPECT_EQ(metrics.config->pid, ::getpid());
  EXPECT_EQ(metrics.config->host, telemetry::HostName());
  EXPECT_GT(metrics.config->time, 1.6e9);
  EXPECT_GT(metrics.config->machine["cores"], 0);
  EXPECT_EQ(metrics.end->reason, "done");
  EXPECT_GT(metrics.end->telemetry_ms, 0);
  EXPECT_GE(metrics.steps.at(8).time, metrics.steps.at(1).time);
  EXPECT_FALSE(metrics.system.empty());
  ASSERT_EQ(Train({"--resume", "--steps", "10"}).exit_code, 0);
  metrics = Read();
  EXPECT_EQ(metrics.config->first_step, 8);
}

TEST_F(WatchedRun, TextsAreMadeAsTrainingGoesOn) {
  const CommandResult result = Scratch({"--sample-every", "4", "--sample-prompt", "One <b> day"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const telemetry::Metrics metrics = Read();
  ASSERT_EQ(metrics.samples.size(), 2u);
  for (const int64_t step : {4, 8}) {
    const telemetry::SampleEvent& sample = metrics.samples.at(step);
    EXPECT_EQ(sample.prompt, "One <b> day");
    EXPECT_GE(sample.tokens, 0);
    EXPECT_GT(sample.ms, 0);
    EXPECT_THAT(result.out, HasSubstr(fmt::format("[sample step {}: One <b> day", step)));
  }
  // A resumed run goes on with it.
  ASSERT_EQ(Train({"--resume", "--steps", "12"}).exit_code, 0);
  EXPECT_EQ(Read().samples.count(12), 1u);
}

TEST_F(WatchedRun, TextsNeedATokenizerAndADevice) {
  WriteTinyShard(folder_.File("data.bin"));
  CommandResult result = Scratch({"--sample-every", "4", "--data", folder_.File("data.bin")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--sample-every 4: needs a tokenizer"));
  EXPECT_FALSE(fs::exists(folder_.File("run")));
  result = Scratch({"--sample-every", "-1"});
  EXPECT_EQ(result.exit_code, 2);
}

// The squares of all tensors' gradients add up to that of the update.
TEST_F(WatchedRun, TensorsAreMeasuredAsTheUpdateSawThem) {
  ASSERT_EQ(Scratch({"--tensor-stats-every", "2"}).exit_code, 0);
  const telemetry::Metrics metrics = Read();
  ASSERT_EQ(metrics.tensors.size(), 2u);
  for (const auto& [step, event] : metrics.tensors) {
    double squares = 0;
    for (const telemetry::TensorHealth& tensor : event.tensors) {
      ASSERT_TRUE(tensor.gradient.has_value()) << tensor.name;
      squares += tensor.gradient->norm * tensor.gradient->norm;
      EXPECT_EQ(tensor.weight.not_finite, 0);
      EXPECT_LE(tensor.weight.largest, tensor.weight.norm * (1 + 1e-5));
      const auto& counts = tensor.weight.histogram.counts;
      EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), int64_t{0}),
                std::min<int64_t>(tensor.elements, 4096));
    }
    EXPECT_NEAR(std::sqrt(squares), metrics.updates.at(step).grad_norm,
                1e-4 * metrics.updates.at(step).grad_norm);
  }
  EXPECT_EQ(metrics.tensors.at(4).tensors.size(), 2u + 9 * 2);
  ASSERT_EQ(Scratch({"--tensor-stats-every", "0"}, "none").exit_code, 0);
  EXPECT_TRUE(Read("none").tensors.empty());
}

TEST_F(WatchedRun, KernelsAddUpToTheSteps) {
  ASSERT_EQ(Scratch({}).exit_code, 0);
  const telemetry::Metrics metrics = Read();
  int64_t steps = 0, launches = 0;
  for (const auto& [step, event] : metrics.kernels) {
    double share = 0;
    for (const telemetry::KernelLoad& kernel : event.kernels) {
      share += kernel.share;
      EXPECT_GE(kernel.ms, 0);
      if (kernel.name == "woFwd") launches += kernel.launches;
    }
    EXPECT_GT(share, 0);
    EXPECT_LE(share, 1.0001);
    steps += event.steps;
  }
  EXPECT_EQ(steps, 8);
  EXPECT_EQ(launches, 8 * TinyStories().layers);  // those of validations do not count
}

// The same losses, to the last bit, whatever is watched.
TEST_F(WatchedRun, WatchingChangesNothing) {
  ASSERT_EQ(Scratch({"--tensor-stats-every", "0"}, "plain").exit_code, 0);
  ASSERT_EQ(
      Scratch({"--sample-every", "2", "--tensor-stats-every", "1", "--tensorboard"}, "watched")
          .exit_code,
      0);
  const telemetry::Metrics plain = Read("plain"), watched = Read("watched");
  ASSERT_EQ(watched.samples.size(), 4u);
  for (const auto& [step, event] : plain.steps) {
    EXPECT_EQ(event.loss, watched.steps.at(step).loss) << step;
  }
  EXPECT_EQ(checkpoint::ReadBytes(folder_.File("plain/state-8/weights.safetensors")),
            checkpoint::ReadBytes(folder_.File("watched/state-8/weights.safetensors")));
}

TEST_F(WatchedRun, AReportIsWrittenAtTheEnd) {
  ASSERT_EQ(
      Scratch({"--sample-every", "8", "--sample-prompt", "<script>alert('x')</script>"}).exit_code,
      0);
  const std::string page = Page();
  const telemetry::Metrics metrics = Read();
  for (const std::string& text :
       {std::string("Tiny plain: 8 micro-steps"), std::string("run ended: done, 8 steps"),
        metrics.config->settings["data_hash"].get<std::string>(),
        fmt::format("{:.4f}", metrics.validations.at(8).val_loss), std::string("sdpaFwd"),
        std::string("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"), std::string("<svg")}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  for (const char* outside : {"http:", "https:", "src=", "url(", "@import", "<link"}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
}

// A run that was cut off in the middle of a line, by a process that is gone.
TEST_F(WatchedRun, AReportOfACutRun) {
  ASSERT_EQ(Scratch({}).exit_code, 0);
  const std::string path = folder_.File("run/metrics.jsonl");
  std::string text = checkpoint::ReadBytes(path);
  const std::string pid = fmt::format("\"pid\":{}", ::getpid());
  text.replace(text.find(pid), pid.size(), "\"pid\":999999999");
  checkpoint::WriteBytes(path,
                         text.substr(0, text.find("\"type\":\"end\"") - 1) + R"({"type":"st)");
  fs::remove(folder_.File("run/report.html"));
  const CommandResult result = RunCommand(TinyStories(), {"report", folder_.File("run")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, folder_.File("run/report.html") + "\n");
  EXPECT_THAT(Page(), HasSubstr("cut off after step 8"));
}

TEST_F(WatchedRun, NoReportOfNoRun) {
  for (const std::string name : {"none", ""}) {
    const CommandResult result = RunCommand(TinyStories(), {"report", folder_.File(name)});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("metrics.jsonl: no such file"));
  }
  checkpoint::WriteBytes(folder_.File("metrics.jsonl"), "once upon a time\n");
  EXPECT_EQ(RunCommand(TinyStories(), {"report", folder_.path()}).exit_code, 2);
  EXPECT_FALSE(fs::exists(folder_.File("report.html")));
}

class TensorBoard : public WatchedRun {
 protected:
  void SetUp() override {
    ASSERT_EQ(Scratch({"--tensorboard", "--sample-every", "4", "--tensor-stats-every", "2",
                       "--save-every", "4"})
                  .exit_code,
              0);
    // Goes on from step 4, as after a crash: 5 to 8 are done again.
    checkpoint::WriteBytes(folder_.File("run/LATEST"), "state-4\n");
  }
  std::vector<fs::path> EventFiles() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_.File("run/tensorboard"))) {
      files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }
};

TEST_F(TensorBoard, FilesAreWholeRecordsThatNameTheirVersion) {
  for (const fs::path& file : EventFiles()) {
    EXPECT_THAT(file.filename().string(), HasSubstr(".tfevents."));
    const auto records = telemetry::ReadRecords(checkpoint::ReadBytes(file.string()));
    ASSERT_TRUE(records.ok()) << records.error().message;
    EXPECT_THAT(records->front(), HasSubstr("brain.Event:2"));
    // Steps, updates, validation, texts, tensors, kernels, system, start and end.
    EXPECT_GE(records->size(), 8u + 4 + 1 + 2 + 2 + 1 + 1 + 2);
  }
  EXPECT_EQ(EventFiles().size(), 1u);
}

// Fields that hold a number by step.
using Numbers = std::map<int64_t, double>;
Numbers Of(const nlohmann::json& judged, const std::string& tag) {
  Numbers numbers;
  const nlohmann::json& scalars = judged["scalars"];
  if (!scalars.contains(tag)) return numbers;
  for (const auto& [step, value] : scalars[tag].items()) {
    numbers[std::stoll(step)] = value.get<double>();
  }
  return numbers;
}

template <class Events, class Value>
Numbers Expected(const Events& events, const Value& value) {
  Numbers numbers;
  for (const auto& [step, event] : events) {
    numbers[step] = static_cast<double>(static_cast<float>(value(event)));
  }
  return numbers;
}

TEST_F(TensorBoard, ReadsWhatTheMetricsSay) {
  if (!PythonImports("tensorboard")) GTEST_SKIP() << "Python has no tensorboard";
  ASSERT_TRUE(fs::exists(folder_.File("run/state-8")));
  const auto judged =
      RunPythonJudge({"tools/judge_tensorboard.py", folder_.File("run/tensorboard")});
  ASSERT_TRUE(judged.is_object());
  const telemetry::Metrics metrics = Read();
  EXPECT_EQ(Of(judged, "train/loss"),
            Expected(metrics.steps, [](const auto& event) { return event.loss; }));
  EXPECT_EQ(Of(judged, "train/lr"),
            Expected(metrics.steps, [](const auto& event) { return event.lr; }));
  EXPECT_EQ(Of(judged, "update/grad_norm"),
            Expected(metrics.updates, [](const auto& event) { return event.grad_norm; }));
  EXPECT_EQ(Of(judged, "validation/loss"),
            Expected(metrics.validations, [](const auto& event) { return event.val_loss; }));
  EXPECT_EQ(judged["hparams"]["lr"], 0.01);
  EXPECT_EQ(judged["hparams"]["device"], "reference");
  EXPECT_EQ(judged["hparams"]["config/dim"], 16);
  EXPECT_EQ(judged["status"], 1);
  EXPECT_EQ(judged["texts"]["sample"].size(), 2u);
  EXPECT_THAT(judged["texts"]["sample"]["8"].get<std::string>(), HasSubstr("Once upon a time"));
  const telemetry::TensorHealth& tensor = metrics.tensors.at(8).tensors.front();
  const auto histogram = judged["histograms"]["weights/" + tensor.name]["8"];
  EXPECT_NEAR(histogram[0].get<double>(), tensor.weight.histogram.low, 1e-5);
  EXPECT_EQ(histogram[4].get<std::vector<int64_t>>(), tensor.weight.histogram.counts);
}

// What a resume does again counts once, with its last value, in TensorBoard as in the metrics.
TEST_F(TensorBoard, AResumeLeavesNoDoubles) {
  if (!PythonImports("tensorboard")) GTEST_SKIP() << "Python has no tensorboard";
  ASSERT_EQ(Train({"--resume", "--steps", "10"}).exit_code, 0);
  EXPECT_EQ(EventFiles().size(), 2u);
  const auto judged =
      RunPythonJudge({"tools/judge_tensorboard.py", folder_.File("run/tensorboard")});
  ASSERT_TRUE(judged.is_object());
  const telemetry::Metrics metrics = Read();
  ASSERT_EQ(metrics.steps.size(), 10u);
  EXPECT_EQ(Of(judged, "train/loss"),
            Expected(metrics.steps, [](const auto& event) { return event.loss; }));
  EXPECT_EQ(Of(judged, "speed/ms_per_step"),
            Expected(metrics.steps, [](const auto& event) { return event.ms; }));
}

}  // namespace
}  // namespace millwright::testing
