#include "app/dashboard/web/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace millwright::app::web {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

telemetry::StepEvent Step(int64_t step, float loss) {
  return {.step = step,
          .loss = loss,
          .lr = 0.5,
          .ms = 20,
          .tokens_per_s = 100,
          .phases_ms = {{"forward", 5}, {"backward", 7}}};
}

std::vector<float> Column(const StepTable& table, const std::string& name) {
  return table.Window(0, StepTable::kLast, 1000).columns.at(name).mean;
}

TEST(RunRecord, StepsBecomeColumns) {
  RunRecord record;
  record.Add(Step(1, 3));
  record.Add(telemetry::UpdateEvent{.step = 2, .update = 1, .grad_norm = 1.5, .ms = 8});
  record.Add(Step(3, 2));
  EXPECT_THAT(record.steps().steps(), ElementsAre(1, 3));
  EXPECT_THAT(Column(record.steps(), "loss"), ElementsAre(3, 2));
  EXPECT_THAT(Column(record.steps(), "tokens_per_s"), ElementsAre(100, 100));
  // The update took 8 ms for two micro-steps.
  EXPECT_THAT(Column(record.steps(), "phase.optimizer"), ElementsAre(0, 4));
  EXPECT_THAT(Column(record.updates(), "grad_norm"), ElementsAre(1.5f));
}

TEST(RunRecord, ALossThatIsNoNumberStaysVisible) {
  RunRecord record;
  record.Add(Step(1, 3));
  record.Add(Step(2, NAN));
  const auto loss = Column(record.steps(), "loss");
  ASSERT_THAT(loss, SizeIs(2));
  EXPECT_TRUE(std::isnan(loss[1]));
}

TEST(RunRecord, AResumeTakesBackAllThatFollowedItsState) {
  RunRecord record;
  for (int64_t step = 1; step <= 10; ++step) {
    record.Add(Step(step, 1));
    record.Add(telemetry::UpdateEvent{.step = step, .update = step, .grad_norm = 1});
    record.Add(telemetry::ValidationEvent{step, 5, 1});
    record.Add(telemetry::SampleEvent{.step = step, .text = "x"});
    record.Add(telemetry::SystemEvent{.step = step, .rss_bytes = 7});
    record.Add(telemetry::TensorsEvent{step, {{.name = "w"}}});
  }
  record.Add(telemetry::KernelsEvent{.step = 10});
  EXPECT_EQ(record.rewinds(), 0);
  record.Add(telemetry::ConfigEvent{.first_step = 6});
  record.Add(Step(7, 2));
  EXPECT_EQ(record.rewinds(), 1);
  EXPECT_THAT(Column(record.steps(), "loss"), ElementsAre(1, 1, 1, 1, 1, 1, 2));
  EXPECT_EQ(record.updates().last_step(), 6);
  EXPECT_EQ(record.validations().last_step(), 6);
  EXPECT_EQ(record.system().last_step(), 6);
  EXPECT_THAT(record.samples(), SizeIs(6));
  EXPECT_FALSE(record.kernels().has_value());
  EXPECT_EQ(record.health().Draw({}, 100).steps.back(), 6);
  EXPECT_THAT(record.log(),
              testing::Contains(Field(&LogLine::text, HasSubstr("resumed after step 6"))));
}

TEST(RunRecord, TheLogTellsInWordsAndKeepsTheNewest) {
  RunRecord record;
  record.Add(telemetry::ConfigEvent{.host = "box"});
  record.Add(telemetry::UpdateEvent{.step = 4, .update = 2, .skipped = true});
  record.Add(telemetry::CheckpointEvent{8, "state-8", 1500});
  record.Add(telemetry::WarningEvent{9, "disk is nearly full"});
  record.Add(
      telemetry::EndEvent{.step = 9, .reason = "failed", .wall_s = 61, .message = "no disk"});
  std::vector<std::string> texts;
  for (const LogLine& line : record.log()) texts.push_back(line.kind + ": " + line.text);
  EXPECT_THAT(
      texts,
      ElementsAre("start: started on box", "skipped: update 2 skipped: gradients were not finite",
                  "checkpoint: saved state-8 in 1.5s", "warning: disk is nearly full",
                  "end: failed after 1m01s: no disk"));
  for (size_t i = 0; i < 2 * RunRecord::kMostLogLines; ++i) {
    record.Add(telemetry::WarningEvent{static_cast<int64_t>(i), "x"});
  }
  EXPECT_THAT(record.log(), SizeIs(RunRecord::kMostLogLines));
  EXPECT_EQ(record.log_seen(), static_cast<int64_t>(5 + 2 * RunRecord::kMostLogLines));
}

}  // namespace
}  // namespace millwright::app::web
