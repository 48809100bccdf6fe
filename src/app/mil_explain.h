// What `millwright mil run --explain` prints: what the cpu device's compiler makes of a program.
#pragma once

#include <string>

#include "device/cpu/report.h"

namespace millwright::app {

// A line for each operation (which step computes it, by which rules) and for each buffer, then sums
// of memory.
std::string ExplanationText(const device::CompileReport& report);

// The same as JSON: "operations", "steps", "buffers", "arena_bytes", ...
std::string ExplanationJson(const device::CompileReport& report);

}  // namespace millwright::app
