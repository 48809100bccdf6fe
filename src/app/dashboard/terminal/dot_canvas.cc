#include "app/dashboard/terminal/dot_canvas.h"

#include <algorithm>
#include <cstdlib>

namespace millwright::app::dashboard {
namespace {

// The bit of each dot, [4, 2]. Source: The Unicode Standard, chapter 21.1: dots 1, 2, 3, 7 run down
// the left and 4, 5, 6, 8 down the right, and dot n is bit n - 1.
constexpr uint8_t kBrailleBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
constexpr char32_t kBrailleBlank = 0x2800;

// By bits: 1 above, 2 below.
constexpr char32_t kAsciiDots[4] = {0, U'\'', U'.', U':'};

}  // namespace

DotCanvas::DotCanvas(int columns, int rows, DotStyle style)
    : columns_(std::max(0, columns)),
      rows_(std::max(0, rows)),
      per_column_(style == DotStyle::kBraille ? 2 : 1),
      per_row_(style == DotStyle::kBraille ? 4 : 2),
      style_(style),
      bits_(static_cast<size_t>(columns_) * static_cast<size_t>(rows_)) {}

void DotCanvas::Set(int x, int y) {
  if (x < 0 || y < 0 || x >= width() || y >= height()) return;
  const int column = x / per_column_, row = y / per_row_;
  const int right = x % per_column_, down = y % per_row_;
  const int bit = style_ == DotStyle::kBraille ? kBrailleBits[down][right] : 1 << down;
  bits_[CellIndex(column, row)] |= static_cast<uint8_t>(bit);
}

// One dot for each step along the longer axis.
void DotCanvas::Line(int x0, int y0, int x1, int y1) {
  const int steps = std::max(std::abs(x1 - x0), std::abs(y1 - y0));
  const auto at = [steps](int from, int to, int i) {
    const int64_t twice = 2 * int64_t{i} * (to - from);
    return from + static_cast<int>((twice + (twice < 0 ? -steps : steps)) / (2 * int64_t{steps}));
  };
  Set(x0, y0);
  for (int i = 1; i <= steps; ++i) Set(at(x0, x1, i), at(y0, y1, i));
}

char32_t DotCanvas::Glyph(int column, int row) const {
  if (column < 0 || row < 0 || column >= columns_ || row >= rows_) return 0;
  const uint8_t bits = bits_[CellIndex(column, row)];
  if (bits == 0) return 0;
  return style_ == DotStyle::kBraille ? kBrailleBlank + bits : kAsciiDots[bits];
}

}  // namespace millwright::app::dashboard
