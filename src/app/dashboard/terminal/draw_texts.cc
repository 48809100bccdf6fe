// The panels that hold text: samples and log.
#include <algorithm>
#include <ranges>

#include "app/dashboard/terminal/screen.h"

namespace millwright::app::dashboard {
namespace {

struct Line {
  std::vector<Glyph> glyphs;
  Ink ink = Ink::kText;
};

void AddWrapped(const std::string& text, int width, Ink ink, std::vector<Line>& lines) {
  for (auto& glyphs : Wrap(text, width)) lines.push_back({std::move(glyphs), ink});
}

// Newest first.
std::vector<Line> SampleLines(const ScreenContent& content, int width) {
  std::vector<Line> lines;
  if (content.generating) AddWrapped("generating...", width, Ink::kWarning, lines);
  const auto& samples = content.history.samples();
  for (const auto& sample : samples | std::views::reverse) {
    // The dashboard does not count those that it asked for.
    const std::string made =
        sample.tokens > 0 ? fmt::format("{} tokens", sample.tokens) : "just now";
    AddWrapped(fmt::format("step {}, {}", sample.step, made), width, Ink::kDim, lines);
    AddWrapped(sample.prompt + sample.text, width, Ink::kText, lines);
    lines.emplace_back();
  }
  if (lines.empty()) {
    AddWrapped("none yet; g generates one with the last saved state", width, Ink::kDim, lines);
  }
  return lines;
}

// From the newest on, as many as are needed to fill the panel and what is scrolled over. Oldest
// first.
template <class Source, class Convert>
std::vector<Line> LastLines(const Source& source, size_t needed, const Convert& convert) {
  std::vector<Line> lines;
  for (auto entry = source.rbegin(); entry != source.rend() && lines.size() < needed; ++entry) {
    std::vector<Line> wrapped = convert(*entry);
    lines.insert(lines.end(), std::make_move_iterator(wrapped.rbegin()),
                 std::make_move_iterator(wrapped.rend()));
  }
  std::ranges::reverse(lines);
  return lines;
}

Ink InkOfOutput(const std::string& line) {
  if (line.find("error") != std::string::npos || line.find("FAIL") != std::string::npos ||
      line.starts_with("millwright: ")) {
    return Ink::kAlarm;
  }
  return line.starts_with("step ") ? Ink::kWarning : Ink::kText;
}

std::vector<Line> LogLines(const ScreenContent& content, bool output, size_t needed, int width) {
  if (output) {
    return LastLines(content.output, needed, [&](const std::string& text) {
      std::vector<Line> lines;
      AddWrapped(text.empty() ? " " : text, width, InkOfOutput(text), lines);
      return lines;
    });
  }
  return LastLines(content.history.log(), needed, [&](const LogLine& entry) {
    std::vector<Line> lines;
    AddWrapped(entry.text, width, entry.ink, lines);
    return lines;
  });
}

void DrawLines(CellGrid& grid, const Rect& rect, const std::vector<Line>& lines, size_t from) {
  for (int row = 0; row < rect.height && from < lines.size(); ++row, ++from) {
    grid.PutGlyphs(rect.x, rect.y + row, rect.width, lines[from].glyphs, lines[from].ink);
  }
}

Ink TitleInk(const ViewState& view, Panel panel) {
  return view.focus == panel ? Ink::kFocus : Ink::kTitle;
}

Rect TextRect(const Rect& box) {
  const Rect inner = box.inner();
  return {inner.x + 1, inner.y, inner.width - 2, inner.height};
}

}  // namespace

void DrawSamples(CellGrid& grid, const Rect& rect, const ScreenContent& content, ViewState& view) {
  const Rect inside = TextRect(rect);
  const std::vector<Line> lines = SampleLines(content, inside.width);
  const int most = std::max(0, static_cast<int>(lines.size()) - std::max(0, inside.height));
  view.samples_scroll = std::clamp(view.samples_scroll, 0, most);
  grid.Box(rect, view.samples_scroll > 0 ? "samples (scrolled)" : "samples",
           TitleInk(view, Panel::kSamples));
  DrawLines(grid, inside, lines, static_cast<size_t>(view.samples_scroll));
}

void DrawLog(CellGrid& grid, const Rect& rect, const ScreenContent& content, ViewState& view) {
  const Rect inside = TextRect(rect);
  const int height = std::max(0, inside.height);
  const auto needed = static_cast<size_t>(view.log_scroll) + static_cast<size_t>(height);
  const std::vector<Line> lines = LogLines(content, view.show_output, needed, inside.width);
  const int count = static_cast<int>(lines.size());
  view.log_scroll = std::clamp(view.log_scroll, 0, std::max(0, count - height));
  std::string title = view.show_output ? "output of training" : "log";
  if (view.log_scroll > 0) title += " (scrolled)";
  grid.Box(rect, title, TitleInk(view, Panel::kLog));
  if (lines.empty()) {
    grid.PutText(inside.x, inside.y, inside.width,
                 view.show_output ? "nothing was printed by a run of the dashboard" : "nothing yet",
                 Ink::kDim);
  }
  DrawLines(grid, inside, lines,
            static_cast<size_t>(std::max(0, count - height - view.log_scroll)));
}

}  // namespace millwright::app::dashboard
