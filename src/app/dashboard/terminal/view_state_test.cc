#include "app/dashboard/terminal/view_state.h"

#include <gtest/gtest.h>

namespace millwright::app::dashboard {
namespace {

constexpr KeyContext kOwn = {.own_run = true, .first_step = 1, .last_step = 1001};
constexpr KeyContext kOther = {.own_run = false, .first_step = 1, .last_step = 1001};

TEST(Keys, QuitAsksOnlyWhereARunOfOursGoesOn) {
  ViewState view;
  EXPECT_EQ(HandleKey('q', kOther, view), Action::kQuit);
  EXPECT_EQ(HandleKey('q', kOwn, view), Action::kNone);
  EXPECT_EQ(view.prompt, Prompt::kQuit);
  EXPECT_EQ(HandleKey('x', kOwn, view), Action::kNone);
  EXPECT_EQ(view.prompt, Prompt::kNone);
  HandleKey('q', kOwn, view);
  EXPECT_EQ(HandleKey('s', kOwn, view), Action::kStopAndQuit);
  HandleKey('q', kOwn, view);
  EXPECT_EQ(HandleKey('l', kOwn, view), Action::kQuit);
}

TEST(Keys, StopAsksFirst) {
  ViewState view;
  EXPECT_EQ(HandleKey('s', kOther, view), Action::kNone);
  EXPECT_EQ(HandleKey('n', kOther, view), Action::kNone);
  HandleKey('s', kOther, view);
  EXPECT_EQ(HandleKey(key::kNone, kOther, view), Action::kNone);  // no key is no answer
  EXPECT_EQ(HandleKey('y', kOther, view), Action::kStop);
}

TEST(Keys, ActionsOfTheRun) {
  ViewState view;
  EXPECT_EQ(HandleKey('r', kOther, view), Action::kResume);
  EXPECT_EQ(HandleKey('g', kOther, view), Action::kGenerate);
}

TEST(Keys, ZoomHalvesAndStopsAtTheWholeRun) {
  ViewState view;
  HandleKey('-', kOwn, view);
  EXPECT_EQ(view.zoom.width, 0);
  HandleKey('+', kOwn, view);
  EXPECT_EQ(view.zoom.width, 500);
  for (int i = 0; i < 20; ++i) HandleKey('+', kOwn, view);
  EXPECT_EQ(view.zoom.width, 15);
  for (int i = 0; i < 20; ++i) HandleKey('-', kOwn, view);
  EXPECT_EQ(view.zoom.width, 0);
}

TEST(Keys, MovingStaysInTheRun) {
  ViewState view;
  HandleKey(key::kLeft, kOwn, view);
  EXPECT_EQ(view.zoom.back, 0);  // all is shown already
  HandleKey('+', kOwn, view);
  HandleKey(key::kLeft, kOwn, view);
  EXPECT_EQ(view.zoom.back, 250);
  for (int i = 0; i < 9; ++i) HandleKey(key::kLeft, kOwn, view);
  EXPECT_EQ(view.zoom.back, 500);
  const Range range = view.zoom.Of(1, 1001);
  EXPECT_EQ(range.low, 1);
  EXPECT_EQ(range.high, 501);
  for (int i = 0; i < 9; ++i) HandleKey(key::kRight, kOwn, view);
  EXPECT_EQ(view.zoom.back, 0);
  HandleKey(key::kLeft, kOwn, view);
  HandleKey('0', kOwn, view);
  EXPECT_EQ(view.zoom.Of(1, 1001).low, 1);
}

TEST(Keys, AZoomedRangeIsNeverEmpty) {
  for (const int64_t last : {0, 1, 5}) {
    for (const int64_t width : {0, 1, 50}) {
      for (const int64_t back : {0, 3, 99}) {
        EXPECT_GT((Zoom{width, back}.Of(0, last).span()), 0);
      }
    }
  }
}

TEST(Keys, TabGoesRoundThePanelsAndScrollingFollows) {
  ViewState view;
  HandleKey(key::kUp, kOwn, view);
  EXPECT_EQ(view.log_scroll + view.samples_scroll, 0);
  HandleKey(key::kTab, kOwn, view);
  EXPECT_EQ(view.focus, Panel::kSamples);
  HandleKey(key::kDown, kOwn, view);
  EXPECT_EQ(view.samples_scroll, 1);
  HandleKey(key::kTab, kOwn, view);
  HandleKey(key::kPageUp, kOwn, view);
  HandleKey(key::kDown, kOwn, view);
  EXPECT_EQ(view.log_scroll, 9);
  HandleKey(key::kEnd, kOwn, view);
  EXPECT_EQ(view.log_scroll, 0);
  HandleKey(key::kTab, kOwn, view);
  EXPECT_EQ(view.focus, Panel::kLoss);
}

TEST(Keys, HelpClosesWithAnyKeyWhichDoesNothingElse) {
  ViewState view;
  HandleKey('?', kOther, view);
  EXPECT_TRUE(view.help);
  EXPECT_EQ(HandleKey('q', kOther, view), Action::kNone);
  EXPECT_FALSE(view.help);
}

TEST(Keys, AKeyTakesTheMessageAway) {
  ViewState view;
  view.message = "saved";
  HandleKey(key::kNone, kOther, view);
  HandleKey(key::kResized, kOther, view);
  EXPECT_EQ(view.message, "saved");
  HandleKey('p', kOther, view);
  EXPECT_EQ(view.message, "");
  EXPECT_TRUE(view.paused);
}

}  // namespace
}  // namespace millwright::app::dashboard
