// One screen of a run as text, without a terminal.
#pragma once

#include <string>
#include <string_view>

#include "app/dashboard/terminal/cell_grid.h"
#include "base/result.h"

namespace millwright::app::dashboard {

// "120x40": columns and rows, 1 to 1000 each.
Result<Size> ParseSize(std::string_view text);

// That of the terminal on standard output, else 80x24.
Size OutputSize();

// What the terminal view would show first. Bad input: a folder that is not there.
Result<std::string> Snapshot(const std::string& run_dir, Size size, bool ascii);

}  // namespace millwright::app::dashboard
