#include "app/dashboard/terminal/cell_grid.h"

#include <algorithm>

namespace millwright::app::dashboard {

CellGrid::CellGrid(Size size, bool ascii)
    : size_{std::max(0, size.width), std::max(0, size.height)},
      ascii_(ascii),
      cells_(static_cast<size_t>(size_.width) * static_cast<size_t>(size_.height)) {}

// No half of a wide character stays without the other.
void CellGrid::Clear(int x, int y) {
  Cell& cell = cells_[Index(x, y)];
  if (cell.point == 0 && x > 0) cells_[Index(x - 1, y)] = {};
  if (Has(x + 1, y) && cells_[Index(x + 1, y)].point == 0) cells_[Index(x + 1, y)] = {};
  cell = {};
}

void CellGrid::Put(int x, int y, char32_t point, Ink ink) {
  if (!Has(x, y)) return;
  Clear(x, y);
  cells_[Index(x, y)] = {.point = ascii_ ? ToAscii(point) : point, .mark = 0, .ink = ink};
}

int CellGrid::PutText(int x, int y, int width, std::string_view text, Ink ink) {
  return PutGlyphs(x, y, width, GlyphsOf(text), ink);
}

int CellGrid::PutCut(int x, int y, int width, std::string_view text, Ink ink) {
  const std::vector<Glyph> glyphs = GlyphsOf(text);
  if (WidthOf(glyphs) <= width) return PutGlyphs(x, y, width, glyphs, ink);
  if (width <= 0) return x;
  const int end = PutGlyphs(x, y, width - 1, glyphs, ink);
  Put(end, y, U'…', ink);
  return end + 1;
}

int CellGrid::PutGlyphs(int x, int y, int width, const std::vector<Glyph>& glyphs, Ink ink) {
  const int end = std::min(x + width, size_.width);
  if (y < 0 || y >= size_.height) return x;
  const int begin = x;
  for (const Glyph& glyph : glyphs) {
    if (glyph.width == 0) {
      const int before = x > begin && cells_[Index(x - 1, y)].point == 0 ? x - 2 : x - 1;
      if (x > begin && !ascii_) cells_[Index(before, y)].mark = glyph.point;
      continue;
    }
    const int columns = ascii_ ? 1 : glyph.width;
    if (x + columns > end) break;
    Put(x, y, glyph.point, ink);
    if (columns == 2) {
      Clear(x + 1, y);
      cells_[Index(x + 1, y)] = {.point = 0, .mark = 0, .ink = ink};
    }
    x += columns;
  }
  return x;
}

void CellGrid::PutTextRight(int right, int y, int width, std::string_view text, Ink ink) {
  const std::vector<Glyph> glyphs = GlyphsOf(text);
  const int used = std::min(width, WidthOf(glyphs));
  PutGlyphs(right - used, y, used, glyphs, ink);
}

void CellGrid::Fill(const Rect& rect, char32_t point, Ink ink) {
  for (int y = rect.y; y < rect.y + rect.height; ++y) {
    for (int x = rect.x; x < rect.x + rect.width; ++x) Put(x, y, point, ink);
  }
}

void CellGrid::Box(const Rect& rect, std::string_view title, Ink title_ink) {
  if (rect.width < 2 || rect.height < 2) return;
  Fill(rect, U' ', Ink::kText);
  const int right = rect.x + rect.width - 1, bottom = rect.y + rect.height - 1;
  for (int x = rect.x + 1; x < right; ++x) {
    Put(x, rect.y, U'─', Ink::kFrame);
    Put(x, bottom, U'─', Ink::kFrame);
  }
  for (int y = rect.y + 1; y < bottom; ++y) {
    Put(rect.x, y, U'│', Ink::kFrame);
    Put(right, y, U'│', Ink::kFrame);
  }
  Put(rect.x, rect.y, U'┌', Ink::kFrame);
  Put(right, rect.y, U'┐', Ink::kFrame);
  Put(rect.x, bottom, U'└', Ink::kFrame);
  Put(right, bottom, U'┘', Ink::kFrame);
  if (title.empty() || rect.width < 6) return;
  Put(rect.x + 1, rect.y, U' ', Ink::kFrame);
  const int end = PutText(rect.x + 2, rect.y, rect.width - 4, title, title_ink);
  Put(end, rect.y, U' ', Ink::kFrame);
}

std::string CellGrid::ToText() const {
  std::string text;
  for (int y = 0; y < size_.height; ++y) {
    const size_t start = text.size();
    size_t end = start;
    for (int x = 0; x < size_.width; ++x) {
      const Cell& cell = at(x, y);
      if (cell.point != 0) AppendUtf8(cell.point, text);
      if (cell.mark != 0) AppendUtf8(cell.mark, text);
      if (cell.point != U' ') end = text.size();
    }
    text.resize(end);
    text.push_back('\n');
  }
  return text;
}

}  // namespace millwright::app::dashboard
