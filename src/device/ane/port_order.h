// Which symbol a port of a program is (fact B11).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "device/ane/target.h"
#include "mil/program.h"

namespace millwright::device::ane {

enum class Side { kInputs, kOutputs };

// The ports of one side in the order in which the engine numbers them: `order[k]` is the port,
// counted as in the function, that is symbol k. By name; on an M1 with macOS 26 or later by size,
// inputs ascending and outputs descending, ports of one size by name.
std::vector<size_t> PortOrder(const mil::Function& function, Side side, const Target& target);

}  // namespace millwright::device::ane
