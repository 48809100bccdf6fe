// Going on in a fresh process: a device allows a process only so many compiles.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace millwright::app {

// Replaces this process by `program` (a path, or a name that PATH finds) with `arguments`, in the
// same terminal, folder and environment. Returns only where that fails.
Error Restart(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace millwright::app
