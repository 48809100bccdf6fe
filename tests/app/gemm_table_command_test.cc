// bench gemm --tune and train --gemm-table: from a machine's file into a run, and on with the run.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/gemm_file.h"
#include "base/threads.h"
#include "checkpoint/training_state.h"
#include "tests/app/tiny_run.h"

namespace millwright::testing {
namespace {

using checkpoint::ReadBytes;
using checkpoint::WriteBytes;
using ::testing::HasSubstr;

class GemmTableCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::setenv("MILLWRIGHT_CACHE", folder_.File("cache").c_str(), 1), 0);
    WriteTinyShard(folder_.File("data.bin"));
    SetThreads(2);
  }
  void TearDown() override {
    ::unsetenv("MILLWRIGHT_CACHE");
    SetThreads(0);
  }

  // The forward product of wq takes what the fixed rule would not.
  static math::GemmTable Table() {
    math::GemmTable table;
    table.Set({.m = 16, .n = 6, .k = 16}, math::GemmKind::kHighway);
    return table;
  }
  std::string WriteTable() const {
    std::string path = folder_.File("table.json");
    const Status status = app::WriteGemmTable(path, app::ThisGemmMachine(), Table());
    EXPECT_TRUE(status.ok()) << status.error().message;
    return path;
  }

  CommandResult Train(std::vector<std::string> flags, const std::string& run = "run") const {
    flags.insert(flags.begin(), {"train", "--threads", "2", "--out", folder_.File(run)});
    return RunCommand(TinyPlain(), std::move(flags));
  }
  CommandResult Start(const std::string& table, const std::string& steps,
                      const std::string& run = "run") const {
    return Train({"--scratch", "--steps", steps, "--accum", "2", "--data", folder_.File("data.bin"),
                  "--gemm-table", table},
                 run);
  }
  void ExpectRefused(const std::string& table, const std::string& message) const {
    const CommandResult result = Start(table, "4");
    EXPECT_EQ(result.exit_code, 2) << message;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(folder_.File("run")));
  }
  checkpoint::StateReader State(const std::string& run) const {
    auto state = checkpoint::StateReader::OpenLatest(folder_.File(run));
    EXPECT_TRUE(state.ok()) << (state.ok() ? "" : state.error().message);
    return std::move(*state);
  }

  checkpoint::TestFolder folder_;
};

TEST_F(GemmTableCommand, ARunKeepsTheTableThatItWasStartedWith) {
  const std::string path = WriteTable();
  ASSERT_EQ(Start(path, "8", "whole").exit_code, 0);
  const CommandResult started = Start(path, "4");
  ASSERT_EQ(started.exit_code, 0) << started.err;
  const auto run = nlohmann::json::parse(ReadBytes(folder_.File("run/run.json")));
  EXPECT_EQ(run["gemm_choices"].size(), 1u);
  std::filesystem::remove(path);
  const CommandResult resumed = Train({"--resume", "--steps", "8"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  const auto meta = State("run").meta();
  EXPECT_EQ(meta["micro_steps"], 8);
  EXPECT_EQ(meta["gemm_choices"], State("whole").meta()["gemm_choices"]);
  EXPECT_EQ(meta["gemm_choices"][0]["kind"], "highway");
}

TEST_F(GemmTableCommand, ResumeTakesNoOther) {
  ASSERT_EQ(Start("fixed", "4").exit_code, 0);
  const CommandResult resumed = Train({"--resume", "--steps", "8", "--gemm-table", WriteTable()});
  EXPECT_EQ(resumed.exit_code, 2);
  EXPECT_THAT(resumed.err, HasSubstr("--gemm-table: a resumed run goes on with the products"));
}

TEST_F(GemmTableCommand, RefusesADamagedFile) {
  const std::string path = WriteTable();
  const std::string text = ReadBytes(path);
  WriteBytes(path, text.substr(0, text.size() / 2));
  ExpectRefused(path, path);
  WriteBytes(path, "{}");
  ExpectRefused(path, "format: expected \"millwright gemm table 1\", found null");
  auto object = nlohmann::json::parse(text);
  object["choices"][0]["kind"] = "abacus";
  WriteBytes(path, object.dump());
  ExpectRefused(path, "choices: entry 0: kind: expected one of sgemm");
  ExpectRefused(folder_.File("nothing.json"), "nothing.json");
}

TEST_F(GemmTableCommand, RefusesAnotherMachinesFile) {
  const app::GemmMachine here = app::ThisGemmMachine();
  const std::string path = folder_.File("table.json");
  const auto expect = [&](const app::GemmMachine& machine, const std::string& message) {
    ASSERT_TRUE(app::WriteGemmTable(path, machine, Table()).ok());
    ExpectRefused(path, message);
    EXPECT_NE(app::TunedGemmPath(machine), app::TunedGemmPath(here));
  };
  expect({"abacus", here.gemm, here.threads}, "was measured elsewhere: cpu is ");
  expect({here.cpu, "onednn-0", here.threads}, "was measured elsewhere: gemm is ");
  expect({here.cpu, here.gemm, 7}, "was measured elsewhere: threads is 2 here, 7 there");
}

TEST_F(GemmTableCommand, TunedIsWhatTuneWrote) {
  ExpectRefused("tuned", "bench gemm --tune");
  const std::string cached = app::TunedGemmPath(app::ThisGemmMachine());
  EXPECT_THAT(cached, HasSubstr(folder_.File("cache")));
  // Another model's product stays in the file.
  math::GemmTable other;
  other.Set({.m = 1000, .n = 1000, .k = 1000}, math::GemmKind::kHighway);
  ASSERT_TRUE(app::WriteGemmTable(cached, app::ThisGemmMachine(), other).ok());
  const CommandResult tuned = RunCommand(TinyPlain(), {"bench", "gemm", "--tune", "--threads", "2",
                                                       "--seconds", "1e-9", "--vocab-rows", "9"});
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  EXPECT_THAT(tuned.out, HasSubstr(cached));
  const auto table = app::ReadGemmTable(cached, app::ThisGemmMachine());
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_GT(table->choices().size(), 10u);
  EXPECT_TRUE(table->choices().contains({.m = 1000, .n = 1000, .k = 1000}));
  ASSERT_EQ(Start("tuned", "4").exit_code, 0);
  EXPECT_EQ(State("run").meta()["gemm_choices"].size(), table->choices().size());
}

TEST_F(GemmTableCommand, TuneIsForProducts) {
  const CommandResult result = RunCommand(TinyPlain(), {"bench", "step", "--tune"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--tune: is for bench gemm, not for bench step"));
}

TEST_F(GemmTableCommand, TuneDoesNotMixWithADamagedFile) {
  const std::string path = folder_.File("table.json");
  WriteBytes(path, "[");
  const CommandResult result =
      RunCommand(TinyPlain(), {"bench", "gemm", "--tune", "--gemm-table", path});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr(path));
  EXPECT_EQ(ReadBytes(path), "[");
}

}  // namespace
}  // namespace millwright::testing
