// Text as the characters that a terminal shows of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millwright::app::dashboard {

struct Glyph {
  char32_t point = 0;
  int width = 1;  // columns: 0 (drawn onto the one before), 1 or 2
};

// Of UTF-8. What cannot be drawn is shown so that it does no harm: a tab as a space, another
// control character as '.', bytes that are no UTF-8 as U+FFFD.
std::vector<Glyph> GlyphsOf(std::string_view text);

int WidthOf(const std::vector<Glyph>& glyphs);

// The lines of `text`, each at most `width` columns (2 at least): broken at newlines, else at a
// space where there is one, which goes, else anywhere. A line that was broken has no spaces at its
// end. An empty text has no lines.
std::vector<std::vector<Glyph>> Wrap(std::string_view text, int width);

// The nearest ASCII character to draw instead: frames, bars and arrows have one, else '?'.
char32_t ToAscii(char32_t point);

// Appends a character as UTF-8.
void AppendUtf8(char32_t point, std::string& out);

}  // namespace millwright::app::dashboard
