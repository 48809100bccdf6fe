#include "checkpoint/training_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/folder.h"
#include "base/rng.h"
#include "checkpoint/test_folder.h"

namespace millwright::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class TrainingStateTest : public testing::Test {
 protected:
  TrainingStateTest() : weight_(6), moment_(6) {
    for (size_t i = 0; i < weight_.size(); ++i) {
      weight_[i] = static_cast<float>(Rng(1, 0).Normal(i));
      moment_[i] = static_cast<float>(Rng(1, 1).Normal(i));
    }
  }

  Status Write(int64_t step, std::optional<int64_t> best = std::nullopt) {
    const json meta = {{"loss", 4.0 / 3.0 + static_cast<double>(step)}, {"seed", 42}};
    weight_[0] = static_cast<float>(step);
    return WriteState(run_, step, meta, Weights(), Optimizer(), best);
  }
  std::vector<NamedTensor> Weights() const { return {{"w", {2, 3}, weight_}}; }
  std::vector<NamedTensor> Optimizer() const {
    return {{"m.w", {2, 3}, moment_}, {"v.w", {6}, moment_}};
  }
  std::string State(int64_t step, const std::string& file = "") const {
    return StatePath(run_, step) + (file.empty() ? "" : "/" + file);
  }
  void ExpectLatest(int64_t step) const {
    const auto reader = StateReader::OpenLatest(run_);
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    EXPECT_EQ(reader->step(), step);
    std::vector<float> out(6);
    ASSERT_TRUE(reader->Read("w", {2, 3}, out).ok());
    EXPECT_EQ(out[0], static_cast<float>(step));
  }
  std::string LatestError() const {
    const auto reader = StateReader::OpenLatest(run_);
    if (reader) return "no error";
    EXPECT_EQ(reader.error().kind, ErrorKind::kBadInput);
    return reader.error().message;
  }

  TestFolder folder_;
  const std::string run_ = folder_.File("runs/x");
  std::vector<float> weight_, moment_;
};

TEST_F(TrainingStateTest, ReadsBackEveryBitOfBf16) {
  std::vector<Bf16> moment;
  for (uint16_t bits = 0; bits < 6; ++bits) moment.push_back({static_cast<uint16_t>(bits * 9973)});
  const std::vector<NamedTensor> optimizer = {{"m.w", {2, 3}, moment}};
  ASSERT_TRUE(WriteState(run_, 1, json::object(), Weights(), optimizer, std::nullopt).ok());
  const auto reader = StateReader::OpenLatest(run_);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  std::vector<Bf16> out(6);
  ASSERT_TRUE(reader->Read("m.w", {2, 3}, out).ok());
  EXPECT_EQ(out, moment);
  EXPECT_FALSE(reader->Read("m.w", {6}, out).ok());
  const Status wider = reader->Read("w", {2, 3}, out);
  ASSERT_FALSE(wider.ok());
  EXPECT_THAT(wider.error().message, HasSubstr("expected BF16"));
}

TEST_F(TrainingStateTest, ReadsBackEveryBit) {
  ASSERT_TRUE(Write(100).ok());
  const auto reader = StateReader::OpenLatest(run_);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  EXPECT_EQ(reader->step(), 100);
  EXPECT_EQ(reader->path(), State(100));
  EXPECT_EQ(reader->meta()["loss"].get<double>(), 4.0 / 3.0 + 100.0);
  std::vector<float> out(6);
  ASSERT_TRUE(reader->Read("w", {2, 3}, out).ok());
  EXPECT_EQ(out, weight_);
  ASSERT_TRUE(reader->Read("v.w", {6}, out).ok());
  EXPECT_EQ(out, moment_);
  EXPECT_FALSE(reader->Read("v.w", {2, 3}, out).ok());
  EXPECT_FALSE(reader->Read("x", {6}, out).ok());
  EXPECT_EQ(ReadBytes(run_ + "/LATEST"), "state-100\n");
  uint64_t size = 0;
  for (const auto& entry : fs::directory_iterator(State(100))) size += entry.file_size();
  const uint64_t bytes = StateBytes(reader->meta(), Weights(), Optimizer());
  EXPECT_GE(bytes, size);
  const std::vector<NamedTensor> shapes = {{"w", {2, 3}, {}}};
  EXPECT_EQ(StateBytes({}, shapes, {}), StateBytes({}, Weights(), {}));
}

TEST_F(TrainingStateTest, KeepsTheLastTwoAndTheBest) {
  for (int64_t step : {100, 200, 300}) ASSERT_TRUE(Write(step, 100).ok());
  EXPECT_THAT(ListStates(run_), ElementsAre(100, 200, 300));
  ASSERT_TRUE(Write(400, 100).ok());
  EXPECT_THAT(ListStates(run_), ElementsAre(100, 300, 400));
  ASSERT_TRUE(Write(500, 400).ok());
  EXPECT_THAT(ListStates(run_), ElementsAre(400, 500));
  ASSERT_TRUE(Write(1000).ok());
  EXPECT_THAT(ListStates(run_), ElementsAre(500, 1000));
  ExpectLatest(1000);
}

TEST_F(TrainingStateTest, GoingBackKeepsLaterStates) {
  for (int64_t step : {100, 200}) ASSERT_TRUE(Write(step).ok());
  WriteBytes(run_ + "/LATEST", "state-100");
  ExpectLatest(100);
  ASSERT_TRUE(Write(150).ok());
  EXPECT_THAT(ListStates(run_), ElementsAre(100, 150, 200));
  ExpectLatest(150);
}

TEST_F(TrainingStateTest, TheSameStepCanBeWrittenAgain) {
  ASSERT_TRUE(Write(100).ok());
  moment_[3] = 99.0f;
  ASSERT_TRUE(Write(100).ok());
  std::vector<float> out(6);
  ASSERT_TRUE(StateReader::OpenLatest(run_)->Read("m.w", {2, 3}, out).ok());
  EXPECT_EQ(out[3], 99.0f);
  EXPECT_THAT(ListStates(run_), ElementsAre(100));
  EXPECT_FALSE(fs::exists(State(100) + ".tmp"));
}

TEST_F(TrainingStateTest, EveryFlippedByteOfEveryFileIsFound) {
  ASSERT_TRUE(Write(100).ok());
  for (const char* name :
       {"weights.safetensors", "optimizer.safetensors", "state.json", "checksums"}) {
    const std::string path = State(100, name);
    const std::string good = ReadBytes(path);
    ASSERT_FALSE(good.empty());
    for (size_t i = 0; i < good.size(); ++i) {
      for (const int mask : {1, 0x20, 0xff}) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ mask);
        WriteBytes(path, bad);
        const auto reader = StateReader::Open(State(100));
        ASSERT_FALSE(reader.ok()) << name << " byte " << i;
        EXPECT_THAT(reader.error().message, HasSubstr("damaged"));
      }
    }
    for (const size_t size : {size_t{0}, size_t{1}, good.size() / 2, good.size() - 1}) {
      WriteBytes(path, good.substr(0, size));
      EXPECT_THAT(LatestError(), HasSubstr(path)) << size;
    }
    WriteBytes(path, good + "x");
    EXPECT_THAT(LatestError(), AllOf(HasSubstr(path), HasSubstr("damaged")));
    fs::remove(path);
    EXPECT_THAT(LatestError(), HasSubstr(path));
    WriteBytes(path, good);
    ExpectLatest(100);
  }
}

TEST_F(TrainingStateTest, ABrokenLatestIsAnErrorThatNamesTheGoodState) {
  EXPECT_THAT(LatestError(), AllOf(HasSubstr("LATEST"), HasSubstr("no other complete state")));
  for (int64_t step : {100, 200}) ASSERT_TRUE(Write(step).ok());
  WriteBytes(State(200, "state.json"), "{}");
  EXPECT_THAT(LatestError(),
              AllOf(HasSubstr("state-200"), HasSubstr("damaged"), HasSubstr("write state-100 into"),
                    Not(HasSubstr("write state-200"))));
  fs::remove_all(State(200));
  EXPECT_THAT(LatestError(), AllOf(HasSubstr("state-200"), HasSubstr("write state-100 into")));
  fs::rename(State(100), State(100) + ".previous");
  EXPECT_THAT(LatestError(), HasSubstr("rename it to state-100"));
  for (const char* bad : {"", "state-", "state-007", "state-1/../../x", "/etc", "..", "\x1b[2J",
                          "state-99999999999999999999", "state-100\n\n"}) {
    WriteBytes(run_ + "/LATEST", bad);
    EXPECT_THAT(LatestError(), HasSubstr("expected the name of a state")) << bad;
  }
}

TEST_F(TrainingStateTest, AForeignFolderIsRefused) {
  fs::create_directories(run_ + "/state-5");
  const auto reader = StateReader::Open(run_ + "/state-5");
  ASSERT_FALSE(reader.ok());
  EXPECT_THAT(reader.error().message, HasSubstr("not a training state"));
  EXPECT_FALSE(StateReader::Open(run_ + "/none").ok());
}

TEST_F(TrainingStateTest, AFailedWriteLeavesTheStateBefore) {
  ASSERT_TRUE(Write(100).ok());
  // A file stands where the new state's folder must go: everything was written, the rename fails.
  WriteBytes(State(200), "in the way");
  Status status = Write(200);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("state-200"));
  EXPECT_FALSE(fs::exists(State(200) + ".tmp"));
  ExpectLatest(100);
  fs::remove(State(200));
  // LATEST cannot be replaced: a folder stands where its temporary file must go.
  fs::create_directories(run_ + "/LATEST.tmp/x");
  status = Write(200);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("LATEST"));
  ExpectLatest(100);
  fs::remove_all(run_ + "/LATEST.tmp");
  ASSERT_TRUE(Write(200).ok());
  ExpectLatest(200);
}

TEST_F(TrainingStateTest, ARunFolderThatIsAFileIsAnError) {
  WriteBytes(folder_.File("runs"), "a file");
  const Status status = Write(1);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr(run_));
}

TEST_F(TrainingStateTest, StaleFoldersAreCleaned) {
  ASSERT_TRUE(Write(100).ok());
  fs::create_directories(run_ + "/state-150.tmp/deep");
  WriteBytes(run_ + "/state-150.tmp/weights.safetensors", "half");
  ASSERT_TRUE(Write(200).ok());
  EXPECT_FALSE(fs::exists(run_ + "/state-150.tmp"));
  EXPECT_THAT(ListStates(run_), ElementsAre(100, 200));
}

TEST_F(TrainingStateTest, WrongRequestsAreRefusedBeforeAnythingIsWritten) {
  const std::vector<NamedTensor> twice = {{"w", {6}, weight_}, {"w", {6}, weight_}};
  EXPECT_FALSE(WriteState(run_, 1, {}, twice, {}, {}).ok());
  EXPECT_FALSE(WriteState(run_, 1, {}, Weights(), Weights(), {}).ok());
  const std::vector<NamedTensor> wrong = {{"w", {7}, weight_}};
  EXPECT_FALSE(WriteState(run_, 1, {}, wrong, {}, {}).ok());
  EXPECT_FALSE(WriteState(run_, -1, {}, Weights(), {}, {}).ok());
  EXPECT_FALSE(WriteState(run_, 1, json("\xff"), Weights(), {}, {}).ok());
  EXPECT_FALSE(fs::exists(run_));
}

TEST_F(TrainingStateTest, AFullDiskIsSeenBeforehand) {
  EXPECT_TRUE(CheckFreeSpace(folder_.path(), 1).ok());
  const Status status = CheckFreeSpace(folder_.path(), uint64_t{1} << 62);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, ErrorKind::kFailed);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr("4611686 TB needed"), HasSubstr(" free")));
}

TEST_F(TrainingStateTest, RemoveStatesRemovesAllOfThemAndNothingElse) {
  for (int64_t step : {100, 200}) ASSERT_TRUE(Write(step).ok());
  WriteBytes(run_ + "/metrics.jsonl", "x");
  ASSERT_TRUE(RemoveStates(run_).ok());
  EXPECT_TRUE(ListStates(run_).empty());
  EXPECT_FALSE(fs::exists(run_ + "/LATEST"));
  EXPECT_TRUE(fs::exists(run_ + "/metrics.jsonl"));
  EXPECT_TRUE(RemoveStates(folder_.File("none")).ok());
}

}  // namespace
}  // namespace millwright::checkpoint
