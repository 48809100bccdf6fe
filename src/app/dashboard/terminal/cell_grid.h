// A screen as cells, before any terminal sees it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/dashboard/terminal/glyphs.h"

namespace millwright::app::dashboard {

// What a character means; the terminal decides how that looks.
enum class Ink : uint8_t {
  kText,
  kDim,
  kFrame,
  kTitle,
  kFocus,  // the title of the panel that the keys act on
  kGood,
  kWarning,
  kAlarm,
  kRaw,  // a curve as measured
  kSmooth,
  kValidation,
  kBar,
  // The parts of a step, in the order of telemetry::PhaseSplit.
  kForward,
  kBackward,
  kStaging,
  kDw,
  kClassifier,
  kOptimizer,
  kOther,
};
inline constexpr int kInks = static_cast<int>(Ink::kOther) + 1;

struct Size {
  int width = 0, height = 0;
  bool operator==(const Size&) const = default;
};
// Columns and rows; empty where a side is 0 or less.
struct Rect {
  int x = 0, y = 0, width = 0, height = 0;
  bool empty() const { return width <= 0 || height <= 0; }
  // Without a border of one cell.
  Rect inner() const { return {x + 1, y + 1, width - 2, height - 2}; }
};

struct Cell {
  char32_t point = U' ';  // 0: the right half of the wide character before it
  char32_t mark = 0;      // is drawn onto it; 0: none
  Ink ink = Ink::kText;
};

class CellGrid {
 public:
  // `ascii`: whatever is put becomes ASCII.
  explicit CellGrid(Size size, bool ascii = false);

  Size size() const { return size_; }
  bool ascii() const { return ascii_; }
  Rect all() const { return {0, 0, size_.width, size_.height}; }
  const Cell& at(int x, int y) const { return cells_[Index(x, y)]; }

  // One character; nothing outside the grid.
  void Put(int x, int y, char32_t point, Ink ink);
  // A line of text, cut after `width` columns; the column behind it.
  int PutText(int x, int y, int width, std::string_view text, Ink ink);
  // The same; the last character is … where something was cut off.
  int PutCut(int x, int y, int width, std::string_view text, Ink ink);
  int PutGlyphs(int x, int y, int width, const std::vector<Glyph>& glyphs, Ink ink);
  // The same, with its end at the column before `right`.
  void PutTextRight(int right, int y, int width, std::string_view text, Ink ink);
  // A frame with a title in its upper edge, and blanks inside.
  void Box(const Rect& rect, std::string_view title, Ink title_ink);
  void Fill(const Rect& rect, char32_t point, Ink ink);

  // Rows of UTF-8, each ended by a newline, without spaces at their ends.
  std::string ToText() const;

 private:
  size_t Index(int x, int y) const {
    return static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
  }
  bool Has(int x, int y) const { return x >= 0 && y >= 0 && x < size_.width && y < size_.height; }
  void Clear(int x, int y);

  Size size_;
  bool ascii_;
  std::vector<Cell> cells_;  // [height, width]
};

}  // namespace millwright::app::dashboard
