// What the keys of the terminal view do.
#pragma once

#include <cstdint>
#include <string>

#include "app/dashboard/terminal/axis.h"
#include "app/dashboard/terminal/cell_grid.h"

namespace millwright::app::dashboard {

// A character as itself, or one of these.
namespace key {
inline constexpr int kNone = -1;
inline constexpr int kEscape = 27;
inline constexpr int kTab = '\t';
inline constexpr int kEnter = '\n';
enum : int {
  kUp = 0x110000,
  kDown,
  kLeft,
  kRight,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kResized,
  kHungUp
};
}  // namespace key

enum class Panel : uint8_t { kLoss, kSamples, kLog };

// What is asked in the last row.
enum class Prompt : uint8_t { kNone, kQuit, kStop };

// What has to be done that is not of the view alone.
enum class Action : uint8_t {
  kNone,
  kQuit,         // with the run going on, where it does
  kStopAndQuit,  // and save
  kStop,         // and save
  kResume,
  kGenerate,
};

// The part of the run that the charts show.
struct Zoom {
  int64_t width = 0;  // micro-steps; 0: all
  int64_t back = 0;   // from the last micro-step to the right edge

  Range Of(int64_t first, int64_t last) const;
};

struct ViewState {
  Panel focus = Panel::kLoss;
  bool enlarged = false;  // the panel in focus fills the screen
  bool paused = false;
  bool help = false;
  bool show_output = false;  // what training printed, instead of the log of events
  Zoom zoom;
  int samples_scroll = 0;  // lines from the newest, at the top
  int log_scroll = 0;      // lines from the newest, at the bottom
  Prompt prompt = Prompt::kNone;
  std::string message;  // in the last row, until a key is pressed
};

// What a key needs to know.
struct KeyContext {
  bool own_run = false;  // a run of this dashboard goes on
  int64_t first_step = 0, last_step = 0;
  int page = 10;  // lines
};

// Carries out a key. Scrolling may go beyond the end; drawing brings it back.
Action HandleKey(int pressed, const KeyContext& context, ViewState& view);

}  // namespace millwright::app::dashboard
