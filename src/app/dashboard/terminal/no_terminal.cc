// The twin of the terminal view in builds without ncurses.
#include "app/dashboard/terminal/terminal_dashboard.h"

namespace millwright::app::dashboard {

Result<int> RunTerminalDashboard(const TerminalOptions&) {
  return BadInput(
      "dashboard: this build has no terminal view, as ncurses was not found; --web shows the run "
      "in "
      "a browser");
}

}  // namespace millwright::app::dashboard
