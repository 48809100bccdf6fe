// The screen as a whole, with its head and its last row.
#include <algorithm>
#include <cmath>

#include "app/dashboard/terminal/screen.h"
#include "telemetry/duration.h"

namespace millwright::app::dashboard {
namespace {

constexpr int kRoomy = 100;  // columns, below which lines are shortened

using telemetry::Finding;
using telemetry::RunState;
using telemetry::Severity;

Ink InkOfState(RunState state) {
  switch (state) {
    case RunState::kRunning:
    case RunState::kDone:
      return Ink::kGood;
    case RunState::kStarting:
    case RunState::kInterrupted:
      return Ink::kWarning;
    case RunState::kStalled:
    case RunState::kCutOff:
    case RunState::kFailed:
      return Ink::kAlarm;
  }
  return Ink::kText;
}

Ink InkOfSeverity(Severity severity) {
  return severity == Severity::kAlarm     ? Ink::kAlarm
         : severity == Severity::kWarning ? Ink::kWarning
                                          : Ink::kDim;
}

std::string StateText(const ScreenContent& content, const ViewState& view) {
  std::string text(telemetry::RunStateName(content.status.state));
  if (content.stopping) text = "stopping, saves its state";
  if (view.paused) text = "display paused (p), run " + text;
  return text;
}

void DrawProgress(CellGrid& grid, const Rect& rect, const telemetry::RunStatus& status) {
  const int bar = rect.width < kRoomy ? 12 : 24;
  const int full = static_cast<int>(std::lround(status.progress * bar));
  grid.Fill({rect.x + 1, rect.y, full, 1}, U'█', Ink::kBar);
  grid.Fill({rect.x + 1 + full, rect.y, bar - full, 1}, U'░', Ink::kFrame);
  int x = rect.x + bar + 2;
  // 99.9% is not all.
  const std::string percent = fmt::format("{:3.0f}%  ", std::floor(status.progress * 100));
  x = grid.PutText(x, rect.y, rect.width, percent, Ink::kText);
  const std::string time = fmt::format("ran {}", telemetry::ReadableDuration(status.seconds_run));
  const int right = rect.x + rect.width - 1;
  const int room = right - x - static_cast<int>(time.size()) - 2;
  grid.PutCut(x, rect.y, room, status.headline, InkOfState(status.state));
  grid.PutTextRight(right, rect.y, rect.width, time, Ink::kDim);
}

// What the headline does not say.
std::vector<Finding> OtherFindings(const telemetry::RunStatus& status) {
  std::vector<Finding> others = status.findings;
  std::erase_if(others, [&](const Finding& finding) { return finding.text == status.headline; });
  return others;
}

// The worst ones; the last row says how many are left.
void DrawFindings(CellGrid& grid, const Rect& rect, const std::vector<Finding>& findings) {
  const int count = static_cast<int>(findings.size());
  if (count == 0) {
    grid.PutText(rect.x + 1, rect.y, rect.width - 2, "nothing unusual", Ink::kDim);
    return;
  }
  for (int row = 0; row < std::min(count, rect.height); ++row) {
    const Finding& finding = findings[static_cast<size_t>(row)];
    const bool last = row == rect.height - 1;
    const std::string more =
        last && count > rect.height ? fmt::format(" (and {} more)", count - rect.height) : "";
    const int room = rect.width - 2 - static_cast<int>(more.size());
    const std::string text =
        finding.severity == Severity::kNote
            ? finding.text
            : fmt::format("{}: {}", telemetry::SeverityName(finding.severity), finding.text);
    const Ink ink = InkOfSeverity(finding.severity);
    const int end = grid.PutCut(rect.x + 1, rect.y + row, room, text, ink);
    grid.PutText(end, rect.y + row, rect.width, more, Ink::kDim);
  }
}

// What remains where nothing fits.
void DrawTooSmall(CellGrid& grid, const ScreenContent& content) {
  const Size size = grid.size();
  const std::vector<Finding> findings = OtherFindings(content.status);
  int y = 0;
  const auto line = [&](const std::string& text, Ink ink) {
    for (const auto& part : Wrap(text, size.width)) grid.PutGlyphs(0, y++, size.width, part, ink);
  };
  line(content.status.headline, InkOfState(content.status.state));
  if (!findings.empty()) {
    line(findings[0].text, InkOfSeverity(findings[0].severity));
  }
  line(fmt::format("{}x{} is too small for the charts: {}x{} or more, please", size.width,
                   size.height, kSmallest.width, kSmallest.height),
       Ink::kDim);
}

void DrawEnlarged(CellGrid& grid, const ScreenContent& content, ViewState& view) {
  const Size size = grid.size();
  const Rect all{0, 0, size.width, size.height - 1};
  switch (view.focus) {
    case Panel::kLoss:
      DrawLoss(grid, all, content, view);
      break;
    case Panel::kSamples:
      DrawSamples(grid, all, content, view);
      break;
    case Panel::kLog:
      DrawLog(grid, all, content, view);
      break;
  }
  DrawKeys(grid, {0, size.height - 1, size.width, 1}, content, view);
}

}  // namespace

void DrawHeader(CellGrid& grid, const Layout& layout, const ScreenContent& content,
                const ViewState& view) {
  const RunTitle& title = content.history.title();
  const Rect& first = layout.title;
  const std::string state = StateText(content, view);
  const int right = first.width - 1;
  const int room = right - WidthOf(GlyphsOf(state)) - 3;
  int x =
      grid.PutText(1, first.y, room, title.model.empty() ? "millwright" : title.model, Ink::kTitle);
  grid.PutCut(x + 2, first.y, room - x - 1, content.run_dir, Ink::kDim);
  grid.PutTextRight(right, first.y, first.width, state, InkOfState(content.status.state));

  const Rect& second = layout.network;
  const std::string network =
      title.network.empty() ? "waiting for the run's settings" : title.network;
  x = grid.PutCut(1, second.y, second.width - 2, network, Ink::kText);
  if (!title.settings.empty()) {
    const std::string dot = " · ";
    x = grid.PutText(x, second.y, second.width - x, dot, Ink::kFrame);
    grid.PutCut(x, second.y, second.width - 1 - x, title.settings, Ink::kText);
  }
  DrawProgress(grid, layout.progress, content.status);
  DrawFindings(grid, layout.findings, OtherFindings(content.status));
}

void DrawKeys(CellGrid& grid, const Rect& rect, const ScreenContent& content,
              const ViewState& view) {
  std::string text;
  Ink ink = Ink::kWarning;
  if (view.prompt == Prompt::kQuit) {
    text = "Training goes on.  s: stop, save and quit   l: leave it running and quit   else: stay";
  } else if (view.prompt == Prompt::kStop) {
    text = "Stop the run after this step and save its state?  y: yes   else: no";
  } else if (!view.message.empty()) {
    text = view.message;
  } else {
    ink = Ink::kDim;
    text = fmt::format("q quit  {}  g generate  p pause  +/- zoom  {}tab panel  ? help",
                       content.own_run ? "s stop and save" : "s stop  r resume",
                       rect.width < kRoomy ? "" : "←/→ move  f enlarge  ");
  }
  grid.PutCut(rect.x + 1, rect.y, rect.width - 1, text, ink);
}

void DrawHelp(CellGrid& grid) {
  static constexpr const char* kLines[] = {
      "q      quit; asks first where a run that was started here goes on",
      "s      stop the run after its step; its state is saved",
      "r      resume the run from its last state",
      "g      generate text with the last state, beside the training",
      "p      pause the display (not the run)",
      "+ -    zoom the charts in and out; 0 shows the whole run",
      "left right   move along a zoomed run",
      "tab    go to the next panel: loss, samples, log",
      "up down, page up/down, home, end   scroll samples or log",
      "f      enlarge the panel, and back",
      "l      log of events, or what training prints",
      "?      this help; any key closes it",
      "",
      "In the charts: dots are single steps, the line is their mean",
      "over about twenty, and diamonds are validations.",
  };
  const int rows = static_cast<int>(std::size(kLines));
  const Size size = grid.size();
  const int width = std::min(72, size.width), height = std::min(rows + 2, size.height);
  const Rect box{(size.width - width) / 2, (size.height - height) / 2, width, height};
  grid.Box(box, "keys", Ink::kFocus);
  for (int row = 0; row < height - 2; ++row) {
    grid.PutText(box.x + 2, box.y + 1 + row, width - 3, kLines[row], Ink::kText);
  }
}

CellGrid DrawScreen(const ScreenContent& content, ViewState& view, Size size, bool ascii) {
  CellGrid grid(size, ascii);
  const Layout layout = MakeLayout(size);
  if (layout.too_small) {
    DrawTooSmall(grid, content);
    return grid;
  }
  if (view.enlarged) {
    DrawEnlarged(grid, content, view);
  } else {
    DrawHeader(grid, layout, content, view);
    DrawLoss(grid, layout.loss, content, view);
    DrawStats(grid, layout.stats, content);
    if (!layout.charts.empty()) DrawSmallCharts(grid, layout.charts, content, view);
    DrawSamples(grid, layout.samples, content, view);
    DrawLog(grid, layout.log, content, view);
    DrawKeys(grid, layout.keys, content, view);
  }
  if (view.help) DrawHelp(grid);
  return grid;
}

}  // namespace millwright::app::dashboard
