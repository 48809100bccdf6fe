// How many programs this process may compile.
#pragma once

#include "base/result.h"

namespace millwright::device::ane {

// The compiler fails for good after about 119 compilations in a process, and then crashes (fact
// D9); compiled programs that are found again do not count.
inline constexpr int kSafeCompilations = 100;

// Compilations of this process so far, whatever the device.
int CompilationsOfProcess();

// Counts one more, or fails where `budget` is spent.
Status SpendCompilation(int budget);

}  // namespace millwright::device::ane
