// Signals as flags that a loop can look at.
#pragma once

#include <atomic>

namespace millwright::app {

// From now on SIGINT and SIGTERM set the returned flag instead of ending the process; a second
// signal ends it as usual.
const std::atomic<bool>& CatchInterrupts();

// From now on SIGUSR1 sets the returned flag, which asks a run for a text from its weights; who
// answers clears it.
std::atomic<bool>& CatchSampleRequests();

}  // namespace millwright::app
