// The twin of the terminal in builds without ncurses.
#include "app/dashboard/terminal/terminal.h"

namespace millwright::app::dashboard {

Result<std::unique_ptr<Terminal>> OpenTerminal() {
  return BadInput(
      "dashboard: this build has no terminal view, as ncurses was not found; --once prints a "
      "screen, --web shows the run in a browser");
}

}  // namespace millwright::app::dashboard
