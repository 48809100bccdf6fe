// Ctrl-C as a flag that a loop can look at.
#pragma once

#include <atomic>

namespace millwright::app {

// From now on SIGINT and SIGTERM set the returned flag instead of ending the process; a second
// signal ends it as usual.
const std::atomic<bool>& CatchInterrupts();

}  // namespace millwright::app
