#include "app/dashboard/terminal/view_state.h"

#include <algorithm>
#include <utility>

namespace millwright::app::dashboard {
namespace {

constexpr int64_t kClosest = 10;  // micro-steps on the screen

void ZoomIn(const KeyContext& context, Zoom& zoom) {
  const int64_t all = context.last_step - context.first_step;
  const int64_t now = zoom.width == 0 ? all : zoom.width;
  if (now / 2 >= kClosest) zoom.width = now / 2;
}

void ZoomOut(const KeyContext& context, Zoom& zoom) {
  zoom.width *= 2;
  if (zoom.width >= context.last_step - context.first_step) zoom = {};
}

// Half a screen towards the beginning (1) or the end (-1).
void Move(int direction, const KeyContext& context, Zoom& zoom) {
  if (zoom.width == 0) return;
  const int64_t most = std::max<int64_t>(0, context.last_step - context.first_step - zoom.width);
  const int64_t back = zoom.back + direction * std::max<int64_t>(1, zoom.width / 2);
  zoom.back = std::clamp<int64_t>(back, 0, most);
}

// Upwards: positive.
void Scroll(int lines, ViewState& view) {
  if (view.focus == Panel::kLog) view.log_scroll = std::max(0, view.log_scroll + lines);
  if (view.focus == Panel::kSamples) view.samples_scroll = std::max(0, view.samples_scroll - lines);
}

void ScrollToEdge(bool bottom, ViewState& view) {
  constexpr int kFar = 1 << 24;
  if (view.focus == Panel::kLog) view.log_scroll = bottom ? 0 : kFar;
  if (view.focus == Panel::kSamples) view.samples_scroll = bottom ? kFar : 0;
}

Action Answer(int pressed, ViewState& view) {
  const Prompt prompt = std::exchange(view.prompt, Prompt::kNone);
  if (prompt == Prompt::kStop)
    return pressed == 'y' || pressed == 's' ? Action::kStop : Action::kNone;
  if (pressed == 's') return Action::kStopAndQuit;
  return pressed == 'l' ? Action::kQuit : Action::kNone;
}

void NextPanel(ViewState& view) {
  view.focus = static_cast<Panel>((static_cast<int>(view.focus) + 1) % 3);
}

// The keys that only change the view.
void ChangeView(int pressed, const KeyContext& context, ViewState& view) {
  switch (pressed) {
    case 'p':
      view.paused = !view.paused;
      break;
    case '?':
    case 'h':
      view.help = true;
      break;
    case 'l':
      view.show_output = !view.show_output;
      view.log_scroll = 0;
      break;
    case 'f':
    case key::kEnter:
      view.enlarged = !view.enlarged;
      break;
    case key::kTab:
      NextPanel(view);
      break;
    case '+':
    case '=':
      ZoomIn(context, view.zoom);
      break;
    case '-':
      ZoomOut(context, view.zoom);
      break;
    case '0':
      view.zoom = {};
      break;
    case key::kLeft:
      Move(1, context, view.zoom);
      break;
    case key::kRight:
      Move(-1, context, view.zoom);
      break;
    case key::kUp:
      Scroll(1, view);
      break;
    case key::kDown:
      Scroll(-1, view);
      break;
    case key::kPageUp:
      Scroll(context.page, view);
      break;
    case key::kPageDown:
      Scroll(-context.page, view);
      break;
    case key::kHome:
      ScrollToEdge(false, view);
      break;
    case key::kEnd:
      ScrollToEdge(true, view);
      break;
    default:
      break;
  }
}

}  // namespace

Range Zoom::Of(int64_t first, int64_t last) const {
  const int64_t right = std::max(first, last - back);
  const int64_t left = width == 0 ? first : std::max(first, right - width);
  return {static_cast<double>(left), static_cast<double>(std::max(right, left + 1))};
}

Action HandleKey(int pressed, const KeyContext& context, ViewState& view) {
  if (pressed == key::kNone || pressed >= key::kResized) return Action::kNone;
  view.message.clear();
  if (view.prompt != Prompt::kNone) return Answer(pressed, view);
  if (view.help) {
    view.help = false;
    return Action::kNone;
  }
  switch (pressed) {
    case 'q':
      if (!context.own_run) return Action::kQuit;
      view.prompt = Prompt::kQuit;
      return Action::kNone;
    case 's':
      view.prompt = Prompt::kStop;
      return Action::kNone;
    case 'r':
      return Action::kResume;
    case 'g':
      return Action::kGenerate;
    case key::kEscape:
      view.enlarged = false;
      return Action::kNone;
    default:
      ChangeView(pressed, context, view);
      return Action::kNone;
  }
}

}  // namespace millwright::app::dashboard
