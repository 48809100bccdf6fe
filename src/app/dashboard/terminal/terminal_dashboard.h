// millwright dashboard in a terminal.
#pragma once

#include <optional>
#include <string>

#include "app/dashboard/run_process.h"
#include "base/result.h"

namespace millwright::app::dashboard {

struct TerminalOptions {
  std::string run_dir;          // that is watched
  std::optional<RunPlan> plan;  // a run that is to be started in it
  bool ascii = false;           // no other characters, whatever the locale says
};

// Shows the run until the user quits, or SIGINT, SIGTERM or SIGHUP come. A run that was started
// here is stopped and saved by the first two (a second one leaves it alone), and goes on after the
// third. The terminal is as before afterwards, however this returns. Returns the exit code: 0, or
// 130 after a signal. Bad input: see OpenTerminal.
Result<int> RunTerminalDashboard(const TerminalOptions& options);

}  // namespace millwright::app::dashboard
