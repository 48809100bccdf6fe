#include <curses.h>
#include <term.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cwchar>
#include <utility>

#include "app/dashboard/terminal/terminal.h"
#include "app/dashboard/terminal/view_state.h"

namespace millwright::app::dashboard {
namespace {

struct Look {
  short color;  // -1: the terminal's own
  attr_t attributes;
};

// In the order of Ink. Without colours the attributes alone remain.
constexpr std::array<Look, kInks> kLooks = {{
    {-1, A_NORMAL},             // text
    {-1, A_DIM},                // dim
    {-1, A_DIM},                // frame
    {-1, A_BOLD},               // title
    {COLOR_CYAN, A_REVERSE},    // focus
    {COLOR_GREEN, A_NORMAL},    // good
    {COLOR_YELLOW, A_BOLD},     // warning
    {COLOR_RED, A_REVERSE},     // alarm
    {COLOR_BLUE, A_NORMAL},     // raw
    {COLOR_CYAN, A_BOLD},       // smooth
    {COLOR_YELLOW, A_BOLD},     // validation
    {COLOR_CYAN, A_NORMAL},     // bar
    {COLOR_CYAN, A_NORMAL},     // forward
    {COLOR_BLUE, A_BOLD},       // backward
    {COLOR_WHITE, A_NORMAL},    // staging
    {COLOR_GREEN, A_NORMAL},    // dW
    {COLOR_YELLOW, A_NORMAL},   // classifier
    {COLOR_MAGENTA, A_NORMAL},  // optimizer
    {COLOR_RED, A_NORMAL},      // other
}};

constexpr std::pair<int, int> kKeys[] = {
    {KEY_UP, key::kUp},       {KEY_DOWN, key::kDown},    {KEY_LEFT, key::kLeft},
    {KEY_RIGHT, key::kRight}, {KEY_PPAGE, key::kPageUp}, {KEY_NPAGE, key::kPageDown},
    {KEY_HOME, key::kHome},   {KEY_END, key::kEnd},      {KEY_RESIZE, key::kResized},
    {KEY_ENTER, key::kEnter},
};

class NcursesTerminal : public Terminal {
 public:
  explicit NcursesTerminal(SCREEN* screen) : screen_(screen) {
    ::cbreak();
    ::noecho();
    ::keypad(stdscr, TRUE);
    ::meta(stdscr, TRUE);
    ::set_escdelay(25);
    ::curs_set(0);
    if (::has_colors()) StartColors();
  }
  ~NcursesTerminal() override {
    ::curs_set(1);
    ::endwin();
    ::delscreen(screen_);
  }
  NcursesTerminal(const NcursesTerminal&) = delete;
  NcursesTerminal& operator=(const NcursesTerminal&) = delete;

  Size size() const override { return {getmaxx(stdscr), getmaxy(stdscr)}; }

  void Paint(const CellGrid& grid) override {
    ::werase(stdscr);
    for (int y = 0; y < grid.size().height; ++y) {
      for (int x = 0; x < grid.size().width; ++x) PaintCell(grid, x, y);
    }
    ::wrefresh(stdscr);
  }

  void Forget() override { ::clearok(stdscr, TRUE); }

  int ReadKey(int timeout_ms) override {
    ::wtimeout(stdscr, timeout_ms);
    wint_t pressed = 0;
    const int kind = ::wget_wch(stdscr, &pressed);
    if (kind == ERR) return ::isatty(STDIN_FILENO) != 0 ? key::kNone : key::kHungUp;
    const int code = static_cast<int>(pressed);
    if (kind != KEY_CODE_YES) return code == '\r' ? key::kEnter : code;
    for (const auto& [theirs, ours] : kKeys) {
      if (theirs == code) return ours;
    }
    return key::kNone;
  }

 private:
  void StartColors() {
    ::start_color();
    ::use_default_colors();
    for (size_t ink = 0; ink < kLooks.size(); ++ink) {
      ::init_pair(PairOf(ink), kLooks[ink].color, -1);
    }
    colors_ = true;
  }

  static short PairOf(size_t ink) { return static_cast<short>(ink + 1); }

  // The library places characters by the system's table of widths, which may be older than ours.
  static wchar_t Drawable(char32_t point, int width) {
    const auto wide = static_cast<wchar_t>(point);
    return point < 0x80 || ::wcwidth(wide) == width ? wide : L'?';
  }

  void PaintCell(const CellGrid& grid, int x, int y) const {
    const Cell& cell = grid.at(x, y);
    if (cell.point == 0) return;
    const bool wide = x + 1 < grid.size().width && grid.at(x + 1, y).point == 0;
    wchar_t text[3] = {Drawable(cell.point, wide ? 2 : 1), static_cast<wchar_t>(cell.mark), 0};
    if (cell.mark != 0 && ::wcwidth(text[1]) != 0) text[1] = 0;
    const auto ink = static_cast<size_t>(cell.ink);
    cchar_t character{};
    ::setcchar(&character, text, kLooks[ink].attributes, colors_ ? PairOf(ink) : short{0}, nullptr);
    ::wmove(stdscr, y, x);
    ::wadd_wch(stdscr, &character);
  }

  SCREEN* screen_;
  bool colors_ = false;
};

}  // namespace

Result<std::unique_ptr<Terminal>> OpenTerminal() {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return BadInput(
        "dashboard: standard input and output are no terminal; --once prints a screen, --web shows "
        "the run in a browser");
  }
  const char* term = std::getenv("TERM");
  SCREEN* screen = ::newterm(nullptr, stdout, stdin);
  if (screen == nullptr) {
    return BadInput(
        "dashboard: TERM={} names no terminal that this machine knows; --once prints a "
        "screen",
        term == nullptr ? "" : term);
  }
  if (::tigetstr("cup") == nullptr) {
    ::endwin();
    ::delscreen(screen);
    return BadInput(
        "dashboard: a terminal of TERM={} cannot place its cursor; --once prints a "
        "screen",
        term);
  }
  return std::unique_ptr<Terminal>(std::make_unique<NcursesTerminal>(screen));
}

}  // namespace millwright::app::dashboard
