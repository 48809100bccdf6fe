// The terminal dashboard as a user has it: the real binary in a real terminal.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "checkpoint/test_folder.h"
#include "telemetry/metrics_reader.h"
#include "tests/app/recorded_run.h"
#include "tests/app/run_command.h"
#include "tests/app/tmux.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

#ifdef __APPLE__
constexpr const char* kUtf8 = "en_US.UTF-8";
#else
constexpr const char* kUtf8 = "C.UTF-8";
#endif

// With MILLWRIGHT_WRITE_GOLDENS set, screens are kept instead of compared.
void ExpectGolden(const std::string& name, const std::string& screen) {
  const std::string path = "tests/app/goldens/" + name + ".txt";
  if (std::getenv("MILLWRIGHT_WRITE_GOLDENS") != nullptr) {
    std::ofstream(path) << screen;
  }
  EXPECT_EQ(screen, checkpoint::ReadBytes(path)) << path;
}

struct Size {
  int width, height;
};
constexpr Size kSizes[] = {{80, 24}, {120, 40}, {200, 60}};

std::string GoldenName(const Size& size) {
  return "dashboard_" + std::to_string(size.width) + "x" + std::to_string(size.height);
}

class DashboardTerminal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasTmux()) GTEST_SKIP() << "tmux is not installed";
  }

  // "millwright dashboard ARGUMENTS" in the test's folder. When it ends, the screen says how, and
  // how the terminal is set.
  std::unique_ptr<Tmux> Open(const std::string& arguments, Size size,
                             const std::string& environment = "") {
    const std::string script =
        "export LC_ALL=" + std::string(kUtf8) + " TERM=screen-256color " + environment +
        "; sh -c 'echo $$ > pid; exec \"$0\" dashboard " + arguments + "' " +
        Quoted(MILLWRIGHT_NANO_BINARY) +
        "; echo \"exit code $?\"; stty -a | tr ' ;' '\\n\\n' | grep -E '^-?(echo|icanon)$'; "
        "exec sleep 600";
    return std::make_unique<Tmux>(folder_.path(), script, size.width, size.height);
  }

  // It has ended, and the terminal is what it was: no alternate screen, echo and lines on.
  void ExpectEnded(const Tmux& tmux, int exit_code) {
    const std::string screen = tmux.WaitForText("echo");
    EXPECT_THAT(screen, HasSubstr("exit code " + std::to_string(exit_code)));
    EXPECT_THAT(screen, HasSubstr("\nicanon\n"));
    EXPECT_THAT(screen, HasSubstr("\necho\n"));
    EXPECT_THAT(screen, Not(HasSubstr("┌")));
  }

  void Signal(int signal) {
    ::kill(static_cast<pid_t>(std::stol(checkpoint::ReadBytes(folder_.File("pid")))), signal);
  }

  checkpoint::TestFolder folder_;
};

TEST_F(DashboardTerminal, ShowsTheScreensOfThreeSizes) {
  WriteRecordedRun(folder_.File("run"));
  for (const Size& size : kSizes) {
    const auto tmux = Open("run", size);
    tmux->WaitForText("? help");
    ExpectGolden(GoldenName(size), tmux->Screen());
    tmux->Press("q");
    ExpectEnded(*tmux, 0);
  }
}

TEST_F(DashboardTerminal, TheSnapshotIsTheFirstScreen) {
  WriteRecordedRun(folder_.File("run"));
  for (const Size& size : kSizes) {
    const std::string snapshot =
        OutputOf("cd " + Quoted(folder_.path()) + " && LC_ALL=" + kUtf8 + " " +
                 Quoted(MILLWRIGHT_NANO_BINARY) + " dashboard run --snapshot " +
                 std::to_string(size.width) + "x" + std::to_string(size.height));
    ExpectGolden(GoldenName(size), snapshot);
  }
}

TEST_F(DashboardTerminal, FollowsTheSizeOfTheWindow) {
  WriteRecordedRun(folder_.File("run"));
  const auto tmux = Open("run", kSizes[1]);
  tmux->WaitForText("? help");
  for (const Size& size : {kSizes[0], kSizes[2], kSizes[1]}) {
    tmux->Resize(size.width, size.height);
    const std::string golden =
        checkpoint::ReadBytes("tests/app/goldens/" + GoldenName(size) + ".txt");
    EXPECT_EQ(tmux->WaitFor([&](const std::string& screen) { return screen == golden; }), golden);
  }
  tmux->Resize(40, 8);
  EXPECT_THAT(tmux->WaitForText("too small"), HasSubstr("60x18"));
}

TEST_F(DashboardTerminal, ObeysItsKeys) {
  WriteRecordedRun(folder_.File("run"));
  const auto tmux = Open("run", kSizes[0]);
  const std::string first = tmux->WaitForText("? help");
  tmux->Press("'?'");
  EXPECT_THAT(tmux->WaitForText("any key closes it"), HasSubstr("page up/down"));
  tmux->Press("x");
  EXPECT_EQ(tmux->WaitFor([&](const std::string& screen) { return screen == first; }), first);
  tmux->Press("+ + Left");
  EXPECT_THAT(tmux->WaitForText("loss, steps 189 to 263"), HasSubstr("loss, steps"));
  tmux->Press("0 Tab Tab Home");
  EXPECT_THAT(tmux->WaitForText("log (scrolled)"), HasSubstr("started: Stories nano"));
  tmux->Press("f");
  EXPECT_THAT(tmux->WaitFor([](const std::string& screen) {
    return screen.find("samples") == std::string::npos;
  }),
              HasSubstr("interrupted after step 300"));
  tmux->Press("Escape p");
  EXPECT_THAT(tmux->WaitForText("display paused"), HasSubstr("samples"));
  tmux->Press("p s");
  EXPECT_THAT(tmux->WaitForText("save its state?"), HasSubstr("y: yes"));
  tmux->Press("y");
  EXPECT_THAT(tmux->WaitForText("no run goes on"), HasSubstr("no run goes on here"));
  tmux->Press("g");
  EXPECT_THAT(tmux->WaitForText("generate: "), HasSubstr("generate: "));
  tmux->Press("q");
  ExpectEnded(*tmux, 0);
}

TEST_F(DashboardTerminal, GivesTheTerminalBackAfterASignal) {
  WriteRecordedRun(folder_.File("run"));
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT}) {
    const auto tmux = Open("run", kSizes[0]);
    tmux->WaitForText("? help");
    Signal(signal);
    ExpectEnded(*tmux, 130);
  }
  const auto tmux = Open("run", kSizes[0]);
  tmux->WaitForText("? help");
  tmux->Press("C-c");
  ExpectEnded(*tmux, 130);
}

TEST_F(DashboardTerminal, NeedsNoUtf8AndNoColours) {
  WriteRecordedRun(folder_.File("run"));
  const auto tmux = Open("run", kSizes[0], "LC_ALL=C TERM=vt100");
  tmux->WaitForText("? help");
  ExpectGolden("dashboard_ascii_80x24", tmux->Screen());
  tmux->Press("q");
  ExpectEnded(*tmux, 0);
}

TEST_F(DashboardTerminal, RefusesATerminalThatCannotPlaceItsCursor) {
  WriteRecordedRun(folder_.File("run"));
  for (const char* term : {"dumb", "no-such-terminal"}) {
    const auto tmux = Open("run", kSizes[0], std::string("TERM=") + term);
    ExpectEnded(*tmux, 2);
    EXPECT_THAT(tmux->Screen(), HasSubstr(std::string("TERM=") + term));
    EXPECT_THAT(tmux->Screen(), HasSubstr("--once"));
  }
}

TEST_F(DashboardTerminal, WaitsForARunAndSurvivesItsDeletion) {
  const auto tmux = Open("run", kSizes[0]);
  EXPECT_THAT(tmux->WaitForText("no run here yet"), HasSubstr("no run here yet"));
  WriteRecordedRun(folder_.File("run"));
  EXPECT_THAT(tmux->WaitForText("interrupted after step 300"), HasSubstr("Stories nano"));
  std::filesystem::remove_all(folder_.File("run"));
  EXPECT_THAT(tmux->WaitForText("no run here yet"), HasSubstr("no step yet"));
  WriteRecordedRun(folder_.File("run"));
  tmux->WaitForText("interrupted after step 300");
  tmux->Press("q");
  ExpectEnded(*tmux, 0);
}

TEST_F(DashboardTerminal, ShowsWhatGoesWrongWithinSeconds) {
  const std::string run = folder_.File("run");
  std::filesystem::create_directories(run);
  auto sink = telemetry::JsonlSink::Open(run + "/metrics.jsonl");
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->Write(RecordedConfig()).ok());
  for (int step = 1; step <= 100; ++step) ASSERT_TRUE((*sink)->Write(RecordedStep(step)).ok());
  const auto tmux = Open("run", kSizes[0]);
  tmux->WaitForText("step 100");
  telemetry::StepEvent event = RecordedStep(101);
  event.loss = 50;
  ASSERT_TRUE((*sink)->Write(event).ok());
  EXPECT_THAT(tmux->WaitForText("spike"), HasSubstr("spike"));
  event = RecordedStep(102);
  event.loss = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE((*sink)->Write(event).ok());
  EXPECT_THAT(tmux->WaitForText("loss is NaN"), HasSubstr("alarm: loss is NaN"));
  // A second process of it writes a line in two parts.
  std::ofstream(run + "/metrics.jsonl", std::ios::app) << R"({"type":"end","step":102,)";
  std::ofstream(run + "/metrics.jsonl", std::ios::app)
      << R"("reason":"failed","wall_s":9,"message":"x: No space left on device"})"
      << "\n";
  EXPECT_THAT(tmux->WaitForText("disk full"), HasSubstr("failed"));
}

TEST_F(DashboardTerminal, StartsStopsAndGoesOnWithARun) {
  constexpr int kSteps = 100;
  const auto tmux =
      Open("run -- --scratch --steps 100 --accum 2 --warmup 10 --seq 64 --threads 1", kSizes[1]);
  const auto steps = [&]() -> int64_t {
    const auto metrics = telemetry::ReadMetrics(folder_.File("run/metrics.jsonl"));
    return metrics.ok() ? metrics->last_step : 0;
  };
  tmux->WaitFor([&](const std::string&) { return steps() >= 5; });
  tmux->Press("s");
  EXPECT_THAT(tmux->WaitForText("save its state?"), HasSubstr("y: yes"));
  tmux->Press("y");
  ASSERT_THAT(tmux->WaitForText("stopped and saved; r goes on"), HasSubstr("interrupted"));
  EXPECT_LT(steps(), kSteps);
  tmux->Press("r");
  EXPECT_THAT(tmux->WaitForText("resuming from"), HasSubstr("resuming from the last state"));
  tmux->Press("q");
  EXPECT_THAT(tmux->WaitForText("leave it running"), HasSubstr("stop, save and quit"));
  tmux->Press("Escape");
  ASSERT_THAT(tmux->WaitForText("run ended: done, 100 steps"), HasSubstr("run ended: done"));
  tmux->Press("g");
  EXPECT_THAT(tmux->WaitForText("step 100, just now"), HasSubstr("step 100, just now"));
  tmux->Press("q");
  ExpectEnded(*tmux, 0);
  const auto metrics = telemetry::ReadMetrics(folder_.File("run/metrics.jsonl"));
  ASSERT_TRUE(metrics.ok());
  EXPECT_EQ(metrics->steps.size(), static_cast<size_t>(kSteps));
  EXPECT_EQ(metrics->end->reason, "done");
}

TEST_F(DashboardTerminal, QuittingWithStopSavesTheRun) {
  const auto tmux = Open("run --scratch --steps 100000 --accum 1 --seq 32 --threads 1", kSizes[0]);
  tmux->WaitForText("running");
  // A process that has not begun training has nothing to save.
  for (int i = 0; i < 2000; ++i) {
    const auto metrics = telemetry::ReadMetrics(folder_.File("run/metrics.jsonl"));
    if (metrics.ok() && !metrics->steps.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  tmux->Press("q");
  tmux->WaitForText("leave it running");
  tmux->Press("s");
  ExpectEnded(*tmux, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_.File("run/LATEST")));
}

TEST_F(DashboardTerminal, ARefusedRunShowsItsReason) {
  const auto tmux = Open("run -- --scratch --data no_such_file.bin", kSizes[0]);
  EXPECT_THAT(tmux->WaitForText("exit code 2"), HasSubstr("no_such_file.bin"));
  tmux->Press("q");
  ExpectEnded(*tmux, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_.File("run")));
}

// What is refused before any terminal is touched; in this process.
TEST(DashboardCommand, RefusesWhatItCannotDo) {
  const checkpoint::TestFolder folder;
  checkpoint::WriteBytes(folder.File("file"), "x");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--lr", "1"}, "--scratch, --resume and --from"},
      {{"--", "--lr", "1"}, "--scratch, --resume and --from"},
      {{"--", "--scratch", "--lrr", "1"}, "--lrr"},
      {{"a", "b", "--", "--scratch"}, "starts one run"},
      {{"a", "--scratch", "--out", "b"}, "--out b contradicts"},
      {{"--dynamic", "--static", "--scratch"}, "--static"},
      {{"--dynamic", "--scratch", "--binding", "constant"}, "--binding"},
      {{folder.File("file")}, "not a run folder"},
      {{folder.File("none"), "--once"}, "not a run folder"},
      {{"--snapshot", "wide", folder.path()}, "--snapshot wide"},
      {{"--once", "--scratch"}, "--once only shows"},
      {{"a", "b"}, "one run"},
      {{folder.path()}, "no terminal"},
  };
  for (const auto& [arguments, reason] : cases) {
    std::vector<std::string> all = {"dashboard"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const CommandResult result = RunCommand(TinyMha(), all);
    EXPECT_EQ(result.exit_code, 2) << reason;
    EXPECT_THAT(result.err, HasSubstr(reason));
    EXPECT_EQ(result.out, "");
  }
}

TEST(DashboardCommand, PrintsAScreenOfARunThatHasNotBegun) {
  const checkpoint::TestFolder folder;
  const CommandResult result =
      RunCommand(TinyMha(), {"dashboard", folder.path(), "--snapshot", "80x24", "--ascii"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("no step yet"));
}

}  // namespace
}  // namespace millwright::testing
