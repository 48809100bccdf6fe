#include "app/dashboard/terminal/snapshot.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "app/dashboard/terminal/run_session.h"

namespace millwright::app::dashboard {

Result<Size> ParseSize(std::string_view text) {
  constexpr int kMost = 1000;
  Size size;
  const char* end = text.data() + text.size();
  const auto width = std::from_chars(text.data(), end, size.width);
  if (width.ec == std::errc() && width.ptr != end && *width.ptr == 'x') {
    const auto height = std::from_chars(width.ptr + 1, end, size.height);
    const bool fits =
        size.width >= 1 && size.width <= kMost && size.height >= 1 && size.height <= kMost;
    if (height.ec == std::errc() && height.ptr == end && fits) return size;
  }
  return BadInput("--snapshot {}: expected columns and rows, like 120x40", text);
}

Size OutputSize() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 1) {
    return {window.ws_col, window.ws_row - 1};  // a row for the shell's prompt
  }
  return {80, 24};
}

Result<std::string> Snapshot(const std::string& run_dir, Size size, bool ascii) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(run_dir, ignored)) {
    return BadInput("dashboard: {} is not a run folder", run_dir);
  }
  RunSession session(run_dir);
  while (session.Refresh()) {
  }
  ViewState view;
  return DrawScreen(session.content(), view, size, ascii).ToText();
}

}  // namespace millwright::app::dashboard
