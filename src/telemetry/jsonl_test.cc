#include "telemetry/jsonl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "base/rng.h"
#include "telemetry/metrics_reader.h"

namespace millwright::telemetry {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class JsonlTest : public testing::Test {
 protected:
  JsonlTest() : folder_(testing::TempDir() + "millwright-XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/metrics.jsonl";
  }
  ~JsonlTest() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  std::string Text() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Append(const std::string& text) const {
    std::ofstream(path_, std::ios::binary | std::ios::app) << text;
  }
  void WriteEvents(const std::vector<Event>& events) const {
    auto sink = JsonlSink::Open(path_);
    ASSERT_TRUE(sink.ok()) << sink.error().message;
    for (const auto& event : events) ASSERT_TRUE((*sink)->Write(event).ok());
  }

  std::string folder_, path_;
};

StepEvent Step(int64_t step, float loss) { return {step, loss, 3e-4, 12.5, 20480.0, {}, {}}; }

TensorHealth Tensor(const char* name) {
  TensorHealth tensor;
  tensor.name = name;
  tensor.layer = -1;
  tensor.elements = 16;
  return tensor;
}

// One of each type, with every field set.
std::vector<Event> EveryEvent() {
  TensorHealth frozen = Tensor("norm"), matrix = Tensor("w");
  matrix.layer = 3;
  matrix.weight = {2, 0.5, 0.25, 1, {-0.25, 0.5, {1, 0, 7}}};
  matrix.gradient = matrix.weight;
  TensorsEvent tensors;
  tensors.step = 20;
  tensors.tensors = {frozen, matrix};
  StepEvent step = Step(3, 4.5f);
  step.phases_ms = {{"forward", 1.5}, {"dw", 0.1}};
  step.time = 1.7e9 + 0.125;
  step.floor_share = 0.625;
  return {ConfigEvent{{{"seed", 42}}, 1.7e9, 20, 4711, "host", {{"cores", 2}}},
          step,
          UpdateEvent{20, 2, 1.25, 1e-4, 256, true, 3.5, {{"attn", 0.5}, {"ffn", 0.25}}},
          ValidationEvent{20, 4.25, 128},
          SampleEvent{20, "Once", " upon\na \"time\"", 4, 12.5},
          CheckpointEvent{20, "runs/x/state-20", 8.5},
          WarningEvent{3, "w"},
          tensors,
          KernelsEvent{20, 10, 123.5, {{"sdpaFwd", 120, 4.5, 88.25, 0.0625}}},
          SystemEvent{20, 1.7e9, 1 << 30, 1 << 31, 1.75, 0.5, {{"package-0", 45.5}}},
          EndEvent{20, "failed", 60, "disk", 1.7e9, 3.5,
                   ProgramCosts{2, 10, 1.5, 20, 200, 9, 1 << 20, 4}}};
}

TEST(JsonLine, AStepIsTheLineOfTheContract) {
  EXPECT_EQ(ToJsonLine(Step(7, 8.83f)),
            R"({"type":"step","step":7,"loss":8.83,"lr":0.0003,"ms":12.5,"tokens_per_s":20480})");
}

TEST(JsonLine, FloatsReadBackToTheSameBits) {
  const Rng rng(11, 0);
  for (uint64_t i = 0; i < 2000; ++i) {
    const float loss = std::bit_cast<float>(static_cast<uint32_t>(rng.Bits(2 * i)));
    const double lr = std::bit_cast<double>(rng.Bits(2 * i + 1));
    StepEvent event = Step(1, loss);
    event.lr = lr;
    const json line = json::parse(ToJsonLine(event));
    if (std::isfinite(loss)) {
      EXPECT_EQ(static_cast<float>(line["loss"].get<double>()), loss);
    } else {
      EXPECT_TRUE(line["loss"].is_null());
    }
    if (std::isfinite(lr)) {
      EXPECT_EQ(line["lr"].get<double>(), lr);
    } else {
      EXPECT_TRUE(line["lr"].is_null());
    }
  }
}

TEST(JsonLine, OnlyStepsHaveStepAndLoss) {
  for (const Event& event : EveryEvent()) {
    if (std::holds_alternative<StepEvent>(event)) continue;
    const json line = json::parse(ToJsonLine(event));
    EXPECT_FALSE(line.contains("step") && line.contains("loss")) << line;
    EXPECT_TRUE(line["type"].is_string());
  }
}

TEST(JsonLine, TextIsAlwaysOneReadableLine) {
  const json line = json::parse(ToJsonLine(WarningEvent{1, "a\nb\"\\\x01 \xff"}), nullptr, false);
  ASSERT_FALSE(line.is_discarded());
  EXPECT_EQ(ToJsonLine(WarningEvent{1, "a\nb"}).find('\n'), std::string::npos);
}

TEST(JsonLine, EveryEventReadsBack) {
  const std::vector<Event> events = EveryEvent();
  for (const auto& event : events) {
    const auto read = ParseJsonLine(ToJsonLine(event));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->index(), event.index());
    EXPECT_EQ(ToJsonLine(*read), ToJsonLine(event));
  }
}

// What earlier versions wrote has none of the later fields; what later ones write may have more.
TEST(JsonLine, FieldsOfOtherVersionsDoNotMatter) {
  const auto config = ParseJsonLine(R"({"type":"config","settings":{"a":1}})");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(std::get<ConfigEvent>(*config).pid, 0);
  const auto end =
      ParseJsonLine(R"({"type":"end","step":7,"reason":"done","wall_s":1.5,"colour":"red"})");
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(std::get<EndEvent>(*end).wall_s, 1.5);
  EXPECT_FALSE(std::get<EndEvent>(*end).costs);
}

TEST(JsonLine, AFrozenTensorHasNoGradient) {
  TensorsEvent event;
  event.tensors.push_back(Tensor("w"));
  const json line = json::parse(ToJsonLine(event));
  EXPECT_FALSE(line["tensors"][0].contains("gradient"));
  EXPECT_FALSE(ParseJsonLine(R"({"type":"tensors","step":1,"tensors":[{"name":"w"}]})").ok());
  EXPECT_FALSE(ParseJsonLine(R"({"type":"tensors","step":1,"tensors":[3]})").ok());
  EXPECT_FALSE(ParseJsonLine(R"({"type":"kernels","step":1,"steps":1,"ms":1,"kernels":{}})").ok());
}

TEST(JsonLine, DamagedLinesAreRefusedWithoutACrash) {
  const std::string line = ToJsonLine(Step(7, 8.83f));
  for (size_t cut = 0; cut < line.size(); ++cut) EXPECT_FALSE(ParseJsonLine(line.substr(0, cut)));
  const Rng rng(5, 0);
  for (uint64_t i = 0; i < 500; ++i) {
    std::string spoiled = line;
    spoiled[rng.Below(2 * i, spoiled.size())] = static_cast<char>(rng.Below(2 * i + 1, 256));
    static_cast<void>(ParseJsonLine(spoiled));
  }
  for (const char* bad :
       {"3", "null", "{}", R"({"type":"step"})", R"({"type":"new","step":1})",
        R"({"type":"step","step":1.5,"loss":1,"lr":1,"ms":1,"tokens_per_s":1})"}) {
    EXPECT_FALSE(ParseJsonLine(bad).ok()) << bad;
  }
}

TEST_F(JsonlTest, EachLineIsInTheFileAtOnce) {
  auto sink = JsonlSink::Open(path_);
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->Write(Step(1, 2.0f)).ok());
  EXPECT_EQ(Text(), ToJsonLine(Step(1, 2.0f)) + "\n");
}

TEST_F(JsonlTest, ReopeningAppendsAndMendsACutLine) {
  WriteEvents({Step(1, 2.0f)});
  Append(R"({"type":"step","st)");
  WriteEvents({Step(2, 1.5f)});
  const auto metrics = ReadMetrics(path_);
  ASSERT_TRUE(metrics.ok()) << metrics.error().message;
  EXPECT_EQ(metrics->events, 2);
  EXPECT_EQ(metrics->skipped_lines, 1);
  EXPECT_EQ(metrics->steps.at(2).loss, 1.5f);
  EXPECT_EQ(Text().find("\n\n"), std::string::npos);
}

TEST_F(JsonlTest, TheLastLineOfAStepCounts) {
  WriteEvents({Step(1, 3.0f), Step(2, 2.5f), Step(2, 2.25f), ValidationEvent{2, 2.0, 4},
               UpdateEvent{.step = 2, .update = 1}, Step(3, std::nanf(""))});
  const auto metrics = ReadMetrics(path_);
  ASSERT_TRUE(metrics.ok());
  EXPECT_EQ(metrics->events, 6);
  EXPECT_EQ(metrics->steps.size(), 3u);
  EXPECT_EQ(metrics->steps.at(2).loss, 2.25f);
  EXPECT_TRUE(std::isnan(metrics->steps.at(3).loss));
  EXPECT_EQ(metrics->validations.at(2).val_loss, 2.0);
  EXPECT_EQ(metrics->updates.at(2).update, 1);
}

TEST_F(JsonlTest, ForeignAndMissingFilesAreRefusedByName) {
  EXPECT_FALSE(ReadMetrics(path_).ok());
  Append("not metrics\n\x01\x02\n");
  const auto metrics = ReadMetrics(path_);
  ASSERT_FALSE(metrics.ok());
  EXPECT_THAT(metrics.error().message, HasSubstr(path_));
}

TEST_F(JsonlTest, AFileThatCannotBeWrittenIsAnError) {
  const auto sink = JsonlSink::Open(folder_ + "/missing/metrics.jsonl");
  ASSERT_FALSE(sink.ok());
  EXPECT_THAT(sink.error().message, HasSubstr("missing/metrics.jsonl"));
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  auto full = JsonlSink::Open("/dev/full");
  if (!full) GTEST_SKIP() << full.error().message;
  const Status status = (*full)->Write(Step(1, 1.0f));
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("/dev/full"));
}

}  // namespace
}  // namespace millwright::telemetry
