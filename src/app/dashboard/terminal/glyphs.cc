#include "app/dashboard/terminal/glyphs.h"

#include <algorithm>

#include "text/display_width.h"
#include "text/utf8.h"

namespace millwright::app::dashboard {
namespace {

constexpr char32_t kReplacement = 0xfffd;

Glyph ToGlyph(char32_t point) {
  if (point == U'\t') return {U' ', 1};
  const int width = text::DisplayWidth(point);
  return width < 0 ? Glyph{U'.', 1} : Glyph{point, width};
}

// Takes one line of `glyphs` from `start` on; moves `start` behind it and what it was broken at.
std::vector<Glyph> TakeLine(const std::vector<Glyph>& glyphs, int width, size_t& start) {
  size_t end = start, space = start;
  for (int used = 0; end < glyphs.size() && used + glyphs[end].width <= width; ++end) {
    used += glyphs[end].width;
    if (glyphs[end].point == U' ') space = end;
  }
  const bool whole = end == glyphs.size();
  if (!whole && glyphs[end].point != U' ' && space > start) end = space;
  std::vector<Glyph> line(glyphs.begin() + static_cast<ptrdiff_t>(start),
                          glyphs.begin() + static_cast<ptrdiff_t>(end));
  start = end;
  if (whole) return line;
  while (start < glyphs.size() && glyphs[start].point == U' ') ++start;
  while (!line.empty() && line.back().point == U' ') line.pop_back();
  return line;
}

}  // namespace

std::vector<Glyph> GlyphsOf(std::string_view text) {
  std::vector<Glyph> glyphs;
  glyphs.reserve(text.size());
  while (!text.empty()) {
    const size_t size = text::CharacterSize(text);
    glyphs.push_back(size == 0 ? Glyph{kReplacement, 1} : ToGlyph(text::CodePoint(text, size)));
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return glyphs;
}

int WidthOf(const std::vector<Glyph>& glyphs) {
  int width = 0;
  for (const Glyph& glyph : glyphs) width += glyph.width;
  return width;
}

std::vector<std::vector<Glyph>> Wrap(std::string_view text, int width) {
  std::vector<std::vector<Glyph>> lines;
  while (!text.empty()) {
    const size_t newline = std::min(text.find('\n'), text.size());
    const std::vector<Glyph> glyphs = GlyphsOf(text.substr(0, newline));
    size_t start = 0;
    do {
      lines.push_back(TakeLine(glyphs, std::max(width, 2), start));
    } while (start < glyphs.size());
    text.remove_prefix(std::min(newline + 1, text.size()));
  }
  return lines;
}

char32_t ToAscii(char32_t point) {
  if (point < 0x80) return point;
  static constexpr std::pair<char32_t, char32_t> kTwins[] = {
      {U'─', U'-'},  {U'│', U'|'}, {U'┌', U'+'}, {U'┐', U'+'}, {U'└', U'+'},
      {U'┘', U'+'},  {U'┤', U'|'}, {U'┴', U'+'}, {U'█', U'#'}, {U'░', U'.'},
      {U'▲', U'^'},  {U'▼', U'v'}, {U'◆', U'o'}, {U'·', U'-'}, {U'…', U'~'},
      {U'←', U'<'},  {U'→', U'>'}, {U'↑', U'^'}, {U'↓', U'v'}, {U'’', U'\''},
      {U'‘', U'\''}, {U'“', U'"'}, {U'”', U'"'}, {U'—', U'-'}, {U'–', U'-'}};
  const auto* found = std::ranges::find(kTwins, point, &std::pair<char32_t, char32_t>::first);
  return found == std::end(kTwins) ? U'?' : found->second;
}

void AppendUtf8(char32_t point, std::string& out) {
  const auto byte = [&out](uint32_t bits) { out.push_back(static_cast<char>(bits)); };
  const auto rest = [&](int shift) { byte(0x80u | ((point >> shift) & 0x3fu)); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xc0u | (point >> 6));
    rest(0);
  } else if (point < 0x10000) {
    byte(0xe0u | (point >> 12));
    rest(6);
    rest(0);
  } else {
    byte(0xf0u | (point >> 18));
    rest(12);
    rest(6);
    rest(0);
  }
}

}  // namespace millwright::app::dashboard
