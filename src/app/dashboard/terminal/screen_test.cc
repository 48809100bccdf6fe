#include "app/dashboard/terminal/screen.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "app/dashboard/terminal/snapshot.h"

namespace millwright::app::dashboard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A run of `steps` micro-steps out of 400, as its events tell it.
class ScreenTest : public ::testing::Test {
 protected:
  void Add(const telemetry::Event& event) {
    content_.history.Add(event);
    watch_.Add(event);
  }
  void AddStep(int step, float loss) {
    Add(telemetry::StepEvent{.step = step,
                             .loss = loss,
                             .lr = 1e-3,
                             .ms = 50,
                             .tokens_per_s = 5120,
                             .phases_ms = {{"forward", 12}, {"backward", 20}, {"dw", 10}},
                             .time = 1000 + 0.1 * step,
                             .floor_share = 0.61});
  }
  void AddRun(int steps) {
    Add(telemetry::ConfigEvent{
        .settings = {{"settings", {{"steps", 400}, {"config", {{"title", "Stories nano"}}}}}},
        .time = 1000,
        .pid = 4242,
        .host = "elsewhere"});
    for (int step = 1; step <= steps; ++step) {
      AddStep(step, 2 + 5 * std::exp(-0.02F * static_cast<float>(step)));
      if (step % 4 == 0) Add(telemetry::UpdateEvent{.step = step, .grad_norm = 0.84, .ms = 4});
    }
  }
  // `silence` seconds after the last step.
  std::string Draw(Size size, double silence = 0.05, bool ascii = false) {
    const double last =
        content_.history.steps().empty()
            ? 1000
            : 1000 + 0.1 * static_cast<double>(content_.history.steps().last_step());
    surroundings_.now = last + silence;
    content_.status = watch_.Assess(surroundings_);
    return DrawScreen(content_, view_, size, ascii).ToText();
  }

  ScreenContent content_{.run_dir = "runs/nano"};
  telemetry::RunWatch watch_;
  telemetry::Surroundings surroundings_{.exists = true, .last_write = 1000.0};
  ViewState view_;
};

TEST_F(ScreenTest, ShowsARunThatGoesOn) {
  AddRun(200);
  Add(telemetry::ValidationEvent{.step = 200, .val_loss = 2.25, .windows = 4});
  Add(telemetry::SampleEvent{.step = 200, .prompt = "Once upon", .text = " a time", .tokens = 2});
  Add(telemetry::SystemEvent{
      .step = 200, .rss_bytes = 212000000, .process_cpu = 1.9, .watts = {{"package-0", 45.2}}});
  for (const Size size : {Size{80, 24}, Size{120, 40}, Size{200, 60}}) {
    const std::string text = Draw(size);
    for (const char* part :
         {"Stories nano", "runs/nano", "running", " 50%", "step 200 of 400", "left", "loss",
          "2.092", "2.25", "0.84", "5120", "61%", "212 MB", "1.9 ", "45 W", "Once upon a time",
          "validation loss 2.2500", "q quit"}) {
      EXPECT_THAT(text, HasSubstr(part)) << size.width << "\n" << text;
    }
  }
}

TEST_F(ScreenTest, PowerIsAbsentWhereItCannotBeRead) {
  AddRun(20);
  Add(telemetry::SystemEvent{.step = 20, .rss_bytes = 212000000, .process_cpu = 1.9});
  for (const Size size : {Size{80, 24}, Size{200, 60}}) {
    EXPECT_THAT(Draw(size), Not(::testing::ContainsRegex("[0-9] W")));
    EXPECT_THAT(Draw(size), Not(HasSubstr("power")));
  }
}

TEST_F(ScreenTest, SaysWhatIsWrongInWords) {
  AddRun(100);
  AddStep(101, 40);
  EXPECT_THAT(Draw({80, 24}), HasSubstr("spike"));
  AddStep(102, NAN);
  EXPECT_THAT(Draw({80, 24}), HasSubstr("alarm: loss is NaN"));
  EXPECT_THAT(Draw({120, 40}, 600), HasSubstr("stalled: no line for 10m00s"));
  surroundings_.free_bytes = 0;
  EXPECT_THAT(Draw({120, 40}), HasSubstr("disk full"));
}

TEST_F(ScreenTest, AlarmsAreDrawnAsSuch) {
  AddRun(50);
  AddStep(51, NAN);
  Draw({80, 24});
  const CellGrid grid = DrawScreen(content_, view_, {80, 24}, false);
  const Layout layout = MakeLayout({80, 24});
  EXPECT_EQ(grid.at(1, layout.findings.y).ink, Ink::kAlarm);
}

TEST_F(ScreenTest, SaysThatNothingHasBegun) {
  surroundings_.exists = false;
  EXPECT_THAT(Draw({80, 24}), HasSubstr("no run here yet"));
  EXPECT_THAT(Draw({120, 40}), HasSubstr("no step yet"));
}

TEST_F(ScreenTest, AsciiMeansAscii) {
  AddRun(200);
  Add(telemetry::SampleEvent{.step = 9, .prompt = "", .text = "Ein Mädchen, 少女", .tokens = 2});
  for (const Size size : {Size{80, 24}, Size{120, 40}, Size{200, 60}, Size{40, 10}}) {
    const std::string text = Draw(size, 0.05, true);
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c > 0 && c < 0x7f; })) << text;
  }
}

TEST_F(ScreenTest, NoSizeDoesHarm) {
  AddRun(30);
  content_.output = {"one", "", "millwright: error"};
  for (int width = 0; width < 130; width += 3) {
    for (int height = 0; height < 50; height += 2) {
      for (const Panel panel : {Panel::kLoss, Panel::kSamples, Panel::kLog}) {
        view_ = {.focus = panel, .enlarged = width % 2 == 0, .help = height % 4 == 0};
        view_.show_output = width % 4 == 0;
        const std::string text = Draw({width, height});
        EXPECT_EQ(std::ranges::count(text, '\n'), height);
      }
    }
  }
  EXPECT_THAT(Draw({40, 10}), HasSubstr("too small"));
  EXPECT_THAT(Draw({40, 10}), HasSubstr("step 30 of 400"));
}

TEST_F(ScreenTest, ScrollsTheLogAndNotBeyond) {
  AddRun(10);
  for (int i = 0; i < 100; ++i) content_.history.AddLog(Ink::kText, fmt::format("line {}.", i));
  EXPECT_THAT(Draw({80, 24}), HasSubstr("line 99."));
  view_.focus = Panel::kLog;
  view_.log_scroll = 50;
  const std::string scrolled = Draw({80, 24});
  EXPECT_THAT(scrolled, HasSubstr("line 49."));
  EXPECT_THAT(scrolled, Not(HasSubstr("line 99.")));
  EXPECT_THAT(scrolled, HasSubstr("(scrolled)"));
  view_.log_scroll = 1 << 24;
  EXPECT_THAT(Draw({80, 24}), HasSubstr("line 0."));
  EXPECT_LT(view_.log_scroll, 101);
}

TEST_F(ScreenTest, AnEnlargedPanelFillsTheScreen) {
  AddRun(50);
  view_ = {.focus = Panel::kLoss, .enlarged = true};
  const std::string text = Draw({80, 24});
  EXPECT_THAT(text, HasSubstr("┌ loss"));
  EXPECT_THAT(text, Not(HasSubstr("samples")));
  EXPECT_THAT(text, HasSubstr("q quit"));
}

TEST_F(ScreenTest, AZoomedChartSaysWhatItShows) {
  AddRun(200);
  view_.zoom = {.width = 50, .back = 20};
  EXPECT_THAT(Draw({80, 24}), HasSubstr("loss, steps 130 to 180"));
}

TEST_F(ScreenTest, PromptsAndMessagesStandInTheLastRow) {
  AddRun(10);
  view_.prompt = Prompt::kStop;
  EXPECT_THAT(Draw({80, 24}), HasSubstr("y: yes"));
  view_.prompt = Prompt::kNone;
  view_.message = "state saved";
  EXPECT_TRUE(Draw({80, 24}).ends_with(" state saved\n"));
}

TEST(Snapshot, ReadsSizes) {
  const auto size = ParseSize("120x40");
  ASSERT_TRUE(size.ok());
  EXPECT_EQ(*size, (Size{120, 40}));
  for (const char* wrong :
       {"", "120", "120x", "x40", "0x5", "5x0", "12x40x", "120 x40", "1001x3", "-1x5"}) {
    EXPECT_FALSE(ParseSize(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace millwright::app::dashboard
