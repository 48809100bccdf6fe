// The figures of the present, and where the time of a step goes.
#include <algorithm>
#include <cmath>

#include "app/dashboard/terminal/screen.h"
#include "base/readable_bytes.h"

namespace millwright::app::dashboard {
namespace {

using telemetry::PhaseSplit;
using telemetry::RunStatus;

constexpr int kWide = 40;       // columns for the long form
constexpr int kLongRows = 15;   // rows that it takes
constexpr int kLongLabel = 12;  // columns
constexpr char kPhaseLetters[PhaseSplit::kParts + 1] = "FBSWCOx";
constexpr const char* kPhaseNames[PhaseSplit::kParts] = {"forward",    "backward",  "staging", "dW",
                                                         "classifier", "optimizer", "other"};

// "-" where nothing is known yet, "NaN" where the run says so.
std::string Known(bool known, double value) { return known ? ShortNumber(value) : "-"; }

// A number that is absent where it is NaN.
std::string Maybe(double value) { return std::isnan(value) ? "-" : ShortNumber(value); }

// Of tokens nobody wants to know the tenth part.
std::string Speed(const RunStatus& status) {
  const double speed = status.tokens_per_s;
  return speed >= 100 && speed < 1e4 ? fmt::format("{:.0f}", speed) : Maybe(speed);
}

std::string Memory(const RunStatus& status) {
  const auto& system = status.last_system;
  if (!system || system->rss_bytes <= 0) return "-";
  return ReadableBytes(static_cast<uint64_t>(system->rss_bytes));
}

std::string Cores(const RunStatus& status, const char* unit) {
  const auto& system = status.last_system;
  if (!system || std::isnan(system->process_cpu)) return "-";
  return fmt::format("{:.1f}{}", system->process_cpu, unit);
}

std::string Floor(const RunStatus& status) {
  if (std::isnan(status.floor_share)) return "-";
  return fmt::format("{:.0f}%", status.floor_share * 100);
}

// Empty where the system does not tell.
std::string Power(const RunStatus& status) {
  const double watts = status.last_system ? TotalWatts(*status.last_system) : 0;
  return watts > 0 ? fmt::format("{:.0f} W", watts) : "";
}

// One cell a share of the step, by the largest remainders of what was cut off before.
void DrawPhaseBar(CellGrid& grid, const Rect& rect, const PhaseSplit& split) {
  const double total = split.total();
  if (!(total > 0)) return;
  double sum = 0;
  int x = 0;
  for (size_t part = 0; part < PhaseSplit::kParts; ++part) {
    sum += split.parts()[part].second;
    const int end = static_cast<int>(std::lround(sum / total * rect.width));
    for (; x < end; ++x) {
      grid.Put(rect.x + x, rect.y, static_cast<char32_t>(kPhaseLetters[part]), InkOfPhase(part));
    }
  }
}

// Two figures side by side.
class Rows {
 public:
  Rows(CellGrid& grid, const Rect& rect) : grid_(grid), rect_(rect) {}

  void Add(const char* left, const std::string& left_value, const char* right,
           const std::string& right_value) {
    const int half = rect_.width / 2, label = rect_.width >= kWide ? kLongLabel : 5;
    Figure(rect_.x, half, label, left, left_value);
    Figure(rect_.x + half, rect_.width - half, label, right, right_value);
    ++row_;
  }
  // What is left of a figure's row.
  Rect AddWithRest(const char* label, const std::string& value) {
    Figure(rect_.x, rect_.width, 5, label, value);
    constexpr int kUsed = 14;
    return {rect_.x + kUsed, rect_.y + row_++, rect_.width - kUsed, 1};
  }
  Rect Next() { return {rect_.x, rect_.y + row_++, rect_.width, 1}; }
  void Skip() { ++row_; }
  bool Full() const { return row_ >= rect_.height; }

 private:
  void Figure(int x, int width, int label_width, const char* label, const std::string& value) {
    if (Full()) return;
    grid_.PutText(x, rect_.y + row_, label_width, label, Ink::kDim);
    grid_.PutText(x + label_width, rect_.y + row_, width - label_width, value, Ink::kText);
  }

  CellGrid& grid_;
  Rect rect_;
  int row_ = 0;
};

void DrawLong(CellGrid& grid, const Rect& rect, const RunStatus& s) {
  Rows rows(grid, rect);
  const bool stepped = s.last_step.has_value();
  rows.Add("loss", Known(stepped, s.loss), "mean of 20", Maybe(s.smoothed_loss));
  rows.Add(
      "best loss", Maybe(s.best_loss), "validation",
      Known(s.last_validation.has_value(), s.last_validation ? s.last_validation->val_loss : 0));
  rows.Add("learn. rate", Known(stepped, stepped ? s.last_step->lr : 0), "grad. norm",
           Known(s.last_update.has_value(), s.last_update ? s.last_update->grad_norm : 0));
  rows.Add("tokens/s", Speed(s), "ms/step", Maybe(s.ms_per_step));
  rows.Add("memory", Memory(s), "CPU", Cores(s, " cores"));
  const std::string power = Power(s);
  rows.Add("FMA floor", Floor(s), power.empty() ? "" : "power", power);
  rows.Skip();
  if (!rows.Full()) DrawPhaseBar(grid, rows.Next(), s.phases);
  const double total = s.phases.total();
  for (size_t part = 0; part < PhaseSplit::kParts && !rows.Full(); ++part) {
    const double ms = s.phases.parts()[part].second;
    const Rect row = rows.Next();
    grid.Put(row.x, row.y, static_cast<char32_t>(kPhaseLetters[part]), InkOfPhase(part));
    grid.PutText(row.x + 2, row.y, kLongLabel, kPhaseNames[part], Ink::kText);
    grid.PutTextRight(row.x + 23, row.y, 11, fmt::format("{:.1f} ms", ms), Ink::kText);
    const std::string share = total > 0 ? fmt::format("{:.0f}%", 100 * ms / total) : "-";
    grid.PutTextRight(row.x + 29, row.y, 5, share, Ink::kText);
    const int bar = total > 0 ? static_cast<int>(std::lround(ms / total * (row.width - 31))) : 0;
    grid.Fill({row.x + 31, row.y, bar, 1}, U'█', InkOfPhase(part));
  }
}

Series LastOf(const web::StepTable& table, const char* column, int width) {
  Series series;
  const auto window =
      table.Window(0, web::StepTable::kLast, static_cast<size_t>(std::max(1, width)) * 2, {column});
  const auto found = window.columns.find(column);
  for (size_t i = 0; found != window.columns.end() && i < window.step.size(); ++i) {
    series.points.push_back({static_cast<double>(window.step[i]), found->second.mean[i]});
  }
  return series;
}

void DrawPhaseNumbers(CellGrid& grid, const Rect& rect, const PhaseSplit& split, size_t from,
                      size_t to) {
  static constexpr const char* kShort[PhaseSplit::kParts] = {"Fwd", "Bwd", "Stg", "dW",
                                                             "Cls", "Opt", "x"};
  int x = rect.x;
  for (size_t part = from; part < to; ++part) {
    const int end = rect.x + rect.width - x;
    x = grid.PutText(x, rect.y, end, kShort[part], InkOfPhase(part));
    const double ms = split.parts()[part].second;
    const std::string text = ms < 9.95 ? fmt::format(" {:.1f} ", ms) : fmt::format(" {:.0f} ", ms);
    x = grid.PutText(x, rect.y, rect.x + rect.width - x, text, Ink::kText);
  }
}

void DrawShort(CellGrid& grid, const Rect& rect, const ScreenContent& content) {
  const RunStatus& s = content.status;
  Rows rows(grid, rect);
  const bool stepped = s.last_step.has_value();
  rows.Add("loss", Known(stepped, s.loss), "mean", Maybe(s.smoothed_loss));
  rows.Add(
      "best", Maybe(s.best_loss), "val",
      Known(s.last_validation.has_value(), s.last_validation ? s.last_validation->val_loss : 0));
  Rect rest = rows.AddWithRest("lr", Known(stepped, stepped ? s.last_step->lr : 0));
  DrawSpark(grid, rest, LastOf(content.history.steps(), "lr", rest.width));
  rest = rows.AddWithRest(
      "grad", Known(s.last_update.has_value(), s.last_update ? s.last_update->grad_norm : 0));
  DrawSpark(grid, rest, LastOf(content.history.updates(), "grad_norm", rest.width));
  rows.Add("tok/s", " " + Speed(s), "ms", Maybe(s.ms_per_step));
  DrawPhaseBar(grid, rows.Next(), s.phases);
  DrawPhaseNumbers(grid, rows.Next(), s.phases, 0, 4);
  DrawPhaseNumbers(grid, rows.Next(), s.phases, 4, PhaseSplit::kParts);
  if (rows.Full()) return;
  const std::string power = Power(s);
  const Rect last = rows.Next();
  grid.PutText(last.x, last.y, last.width,
               power.empty()
                   ? fmt::format("FMA {}  {}  {}", Floor(s), Memory(s), Cores(s, " cores"))
                   : fmt::format("FMA {} {} {} {}", Floor(s), Memory(s), Cores(s, " CPU"), power),
               Ink::kText);
}

}  // namespace

Ink InkOfPhase(size_t part) { return static_cast<Ink>(static_cast<size_t>(Ink::kForward) + part); }

void DrawStats(CellGrid& grid, const Rect& rect, const ScreenContent& content) {
  grid.Box(rect, "now", Ink::kTitle);
  Rect inside = rect.inner();
  inside.x += 1;
  inside.width -= 1;
  if (inside.width >= kWide && inside.height >= kLongRows) {
    DrawLong(grid, inside, content.status);
  } else {
    DrawShort(grid, inside, content);
  }
}

}  // namespace millwright::app::dashboard
