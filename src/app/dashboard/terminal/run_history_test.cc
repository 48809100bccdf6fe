#include "app/dashboard/terminal/run_history.h"

#include <gmock/gmock.h>

#include <cmath>

namespace millwright::app::dashboard {
namespace {

using ::testing::HasSubstr;

telemetry::StepEvent Step(int64_t step, float loss) {
  return {.step = step, .loss = loss, .lr = 1e-3, .ms = 10, .tokens_per_s = 100};
}

TEST(RunHistory, SmoothsAboutTwentySteps) {
  RunHistory history;
  for (int step = 1; step <= 200; ++step) history.Add(Step(step, step % 2 == 0 ? 3.0F : 5.0F));
  const auto& smooth = history.steps().columns().at("smooth");
  EXPECT_FLOAT_EQ(smooth[0], 5);
  EXPECT_FLOAT_EQ(smooth[1], 3.4F);
  EXPECT_NEAR(smooth.back(), 4, 0.06);
}

TEST(RunHistory, ALossThatIsNoNumberLeavesTheMeanAsItWas) {
  RunHistory history;
  history.Add(Step(1, NAN));
  history.Add(Step(2, 4));
  history.Add(Step(3, NAN));
  history.Add(Step(4, 4));
  EXPECT_FLOAT_EQ(history.steps().columns().at("smooth").back(), 4);
}

TEST(RunHistory, StepsThatAreDoneAgainReplaceTheFirstOnes) {
  RunHistory history;
  for (int step = 1; step <= 10; ++step) history.Add(Step(step, 9));
  history.Add(telemetry::ValidationEvent{.step = 5, .val_loss = 9, .windows = 2});
  history.Add(telemetry::ValidationEvent{.step = 10, .val_loss = 9, .windows = 2});
  history.Add(telemetry::ConfigEvent{.first_step = 6});
  history.Add(Step(7, 1));
  history.Add(telemetry::ValidationEvent{.step = 10, .val_loss = 2, .windows = 2});
  EXPECT_EQ(history.steps().last_step(), 7);
  ASSERT_EQ(history.validations().size(), 2u);
  EXPECT_EQ(history.validations()[1].y, 2);
  EXPECT_THAT(history.log().back().text, HasSubstr("step 10: validation loss 2.0000"));
}

TEST(RunHistory, SaysWhatHappened) {
  RunHistory history;
  history.Add(telemetry::ConfigEvent{
      .settings = {{"settings",
                    {{"lr", 1e-3}, {"accum", 2}, {"config", {{"title", "Nano"}, {"dim", 8}}}}}}});
  EXPECT_EQ(history.title().model, "Nano");
  EXPECT_EQ(history.title().network, "dim 8");
  EXPECT_EQ(history.title().settings, "lr 0.001  accum 2");
  history.Add(telemetry::WarningEvent{.step = 3, .message = "odd"});
  history.Add(telemetry::EndEvent{.step = 4, .reason = "failed", .wall_s = 5, .message = "why"});
  ASSERT_EQ(history.log().size(), 3u);
  EXPECT_EQ(history.log()[1].ink, Ink::kWarning);
  EXPECT_EQ(history.log()[2].ink, Ink::kAlarm);
  EXPECT_THAT(history.log()[2].text, HasSubstr("why"));
}

TEST(RunHistory, TakesSettingsOfAnyKind) {
  RunHistory history;
  for (const auto& settings :
       {nlohmann::json(), nlohmann::json(3), nlohmann::json{{"settings", "x"}}}) {
    history.Add(telemetry::ConfigEvent{.settings = settings});
  }
  EXPECT_EQ(history.title().model, "");
}

TEST(RunHistory, KeepsALimitedLog) {
  RunHistory history;
  for (int i = 0; i < 5000; ++i) history.AddLog(Ink::kText, std::to_string(i));
  EXPECT_EQ(history.log().size(), 2000u);
  EXPECT_EQ(history.log().back().text, "4999");
}

TEST(RunHistory, PowerIsUnknownWhereNothingIsRead) {
  RunHistory history;
  history.Add(telemetry::SystemEvent{.step = 1, .rss_bytes = 5000000});
  history.Add(telemetry::SystemEvent{.step = 2, .watts = {{"package-0", 40}, {"dram", 5}}});
  const auto& watts = history.system().columns().at("watts");
  EXPECT_TRUE(std::isnan(watts[0]));
  EXPECT_EQ(watts[1], 45);
}

}  // namespace
}  // namespace millwright::app::dashboard
