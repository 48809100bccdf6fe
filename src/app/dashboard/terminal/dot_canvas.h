// A raster of dots, several to a character: 2x4 in Unicode's braille patterns, 1x2 in ASCII.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millwright::app::dashboard {

enum class DotStyle : uint8_t { kBraille, kAscii };

class DotCanvas {
 public:
  // In characters; negative counts as 0.
  DotCanvas(int columns, int rows, DotStyle style);

  // In dots. The origin is the upper left.
  int width() const { return columns_ * per_column_; }
  int height() const { return rows_ * per_row_; }

  // Dots outside are dropped.
  void Set(int x, int y);
  // A straight line, both ends included.
  void Line(int x0, int y0, int x1, int y1);

  // The character at a column and a row; 0 where no dot is set.
  char32_t Glyph(int column, int row) const;

 private:
  size_t CellIndex(int column, int row) const {
    return static_cast<size_t>(row) * static_cast<size_t>(columns_) + static_cast<size_t>(column);
  }

  int columns_, rows_, per_column_, per_row_;
  DotStyle style_;
  std::vector<uint8_t> bits_;  // [rows, columns]
};

}  // namespace millwright::app::dashboard
